/** What the launcher, the palette and the menu offer of the course, in order. */

import type { Words } from './template.ts';

export interface Entry {
  /** The command. */
  id: string;
  /** The notebook of the course. */
  notebook: string;
  label: string;
  caption: string;
  /** The name of its icon. */
  icon: string;
}

/** The tour and the six steps. */
export function courseEntries(trans: Words): Entry[] {
  const step = (number: number, notebook: string, label: string, caption: string): Entry => ({
    id: `vaenb:step-${number}`,
    notebook: `0${number}_${notebook}.ipynb`,
    label: `${number} ${label}`,
    caption,
    icon: notebook
  });
  return [
    {
      id: 'vaenb:tour',
      notebook: '00_tour.ipynb',
      label: trans.__('Tour'),
      caption: trans.__('From a series to alarms, in ten minutes'),
      icon: 'tour'
    },
    step(
      1,
      'prepare_data',
      trans.__('Prepare data'),
      trans.__('Course, step 1: read a series, mend it, cut windows')
    ),
    step(
      2,
      'build_the_vae',
      trans.__('Build the VAE'),
      trans.__('Course, step 2: encoder, latent space, decoder')
    ),
    step(3, 'train', trans.__('Train'), trans.__('Course, step 3: maximise the ELBO')),
    step(4, 'score', trans.__('Score'), trans.__('Course, step 4: an anomaly score for each step of time')),
    step(
      5,
      'set_the_threshold',
      trans.__('Set the threshold'),
      trans.__('Course, step 5: from scores to alarms')
    ),
    step(6, 'judge', trans.__('Judge'), trans.__('Course, step 6: what the alarms are worth'))
  ];
}
