/** The icons: lines follow the theme, and what is anomalous is orange in light and dark. */

import { LabIcon } from '@jupyterlab/ui-components';
import buildSvg from '../style/icons/build_the_vae.svg';
import judgeSvg from '../style/icons/judge.svg';
import newStudySvg from '../style/icons/new_study.svg';
import prepareSvg from '../style/icons/prepare_data.svg';
import scoreSvg from '../style/icons/score.svg';
import thresholdSvg from '../style/icons/set_the_threshold.svg';
import tourSvg from '../style/icons/tour.svg';
import trainSvg from '../style/icons/train.svg';
import vaenbSvg from '../style/icons/vaenb.svg';

export const vaenbIcon = new LabIcon({ name: 'vaenb:vaenb', svgstr: vaenbSvg });

/** By the names of `Entry.icon`. */
export const ICONS: Record<string, LabIcon> = {
  new_study: new LabIcon({ name: 'vaenb:new_study', svgstr: newStudySvg }),
  tour: new LabIcon({ name: 'vaenb:tour', svgstr: tourSvg }),
  prepare_data: new LabIcon({ name: 'vaenb:prepare_data', svgstr: prepareSvg }),
  build_the_vae: new LabIcon({ name: 'vaenb:build_the_vae', svgstr: buildSvg }),
  train: new LabIcon({ name: 'vaenb:train', svgstr: trainSvg }),
  score: new LabIcon({ name: 'vaenb:score', svgstr: scoreSvg }),
  set_the_threshold: new LabIcon({ name: 'vaenb:set_the_threshold', svgstr: thresholdSvg }),
  judge: new LabIcon({ name: 'vaenb:judge', svgstr: judgeSvg })
};
