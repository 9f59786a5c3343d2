/** The side panel "Anomalies": the events of the study in front, most severe first. */

import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Status, StudyLink } from './comm.ts';
import { vaenbIcon } from './icons.ts';
import { type Study, type StudyEvent, VERDICTS } from './messages.ts';
import { scrollToWidget } from './scroll.ts';
import { sparkline } from './sparkline.ts';

export const PANEL_ID = 'vaenb-anomalies';
const WIDTH = 240; // stretched to the width of the panel
const HEIGHT = 30;
const MARKS = { anomaly: '✖', normal: '✔', unsure: '?' };

export class AnomaliesPanel extends ReactWidget {
  constructor(
    private readonly link: StudyLink,
    private readonly trans: TranslationBundle
  ) {
    super();
    this.id = PANEL_ID;
    this.addClass('vaenb-anomalies');
    this.title.icon = vaenbIcon;
    this.title.caption = trans.__('Anomalies');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', trans.__('Anomalies'));
  }

  protected onAfterShow(): void {
    this.link.watch(true);
  }

  protected onAfterHide(): void {
    this.link.watch(false);
  }

  protected render(): React.ReactElement {
    const { link, trans } = this;
    return (
      <UseSignal signal={link.changed}>
        {() => (
          <>
            <h2>{trans.__('Anomalies')}</h2>
            {link.study === null ? (
              <p className="vaenb-empty">{emptyWords(link.status, trans)}</p>
            ) : (
              <Events link={link} study={link.study} trans={trans} />
            )}
          </>
        )}
      </UseSignal>
    );
  }
}

/** What there is to do where no study is shown. */
function emptyWords(status: Status, trans: TranslationBundle): string {
  switch (status) {
    case 'no notebook':
      return trans.__(
        'Open a notebook with a study. Or right-click a CSV or Parquet file in the file browser, and choose “Find anomalies”.'
      );
    case 'no kernel':
      return trans.__('The notebook in front has no kernel: start one, and run the cell of the study.');
    case 'restarted':
      return trans.__('The kernel was restarted, and the study is gone from it. Run its cells again.');
    default:
      return trans.__(
        'No study in this notebook yet. Run a cell that shows a Study, a ThresholdPanel or a JudgePanel.'
      );
  }
}

interface Props {
  link: StudyLink;
  study: Study;
  trans: TranslationBundle;
}

function Events({ link, study, trans }: Props): React.ReactElement {
  const more = study.count - study.events.length;
  return (
    <>
      <header>
        <b>{study.name}</b>
        <span role="status">{study.told}</span>
      </header>
      {study.words === '' ? null : <p className="vaenb-empty">{study.words}</p>}
      <ol>
        {study.events.map((event, place) => (
          <Item key={event.start} {...{ link, study, trans, event, place }} />
        ))}
      </ol>
      {more > 0 ? (
        <p className="vaenb-empty">
          {trans._n('%1 less severe event is not listed.', '%1 less severe events are not listed.', more)}
        </p>
      ) : null}
    </>
  );
}

function Item({
  link,
  study,
  trans,
  event,
  place
}: Props & { event: StudyEvent; place: number }): React.ReactElement {
  const go = (): void => {
    link.go(event.start, event.stop);
    if (link.panel !== null) {
      void scrollToWidget(link.panel, study.panel);
    }
  };
  const words = { anomaly: trans.__('anomaly'), normal: trans.__('normal'), unsure: trans.__('unsure') };
  const facts = [trans.__('score %1', event.score)];
  if (event.severity !== '') {
    facts.push(trans.__('severity %1', event.severity));
  }
  return (
    <li className={event.verdict === '' ? '' : `vaenb-said-${event.verdict}`}>
      <button
        type="button"
        className="vaenb-go"
        onClick={go}
        title={trans.__('Peak %1. Show it in the notebook.', event.peak)}
      >
        <span className="vaenb-rank">{place + 1}</span>
        <span className="vaenb-facts">
          <b>{event.when}</b>
          <span>{[event.lasts, ...facts].join(' · ')}</span>
          <Spark event={event} threshold={study.threshold} />
        </span>
      </button>
      {study.canJudge ? (
        <fieldset aria-label={trans.__('Verdict on event %1', place + 1)}>
          {VERDICTS.map(verdict => (
            <button
              type="button"
              key={verdict}
              className={`vaenb-verdict vaenb-is-${verdict}`}
              aria-pressed={event.verdict === verdict}
              onClick={() => link.judge(event.start, event.stop, event.verdict === verdict ? '' : verdict)}
            >
              <span aria-hidden="true">{MARKS[verdict]}</span> {words[verdict]}
            </button>
          ))}
        </fieldset>
      ) : null}
    </li>
  );
}

function Spark({ event, threshold }: { event: StudyEvent; threshold: number | null }): React.ReactElement {
  const line = sparkline(event.line, threshold ?? Number.NaN, WIDTH, HEIGHT);
  return (
    <svg
      className="vaenb-spark"
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {line.threshold === null ? null : <line x1={0} x2={WIDTH} y1={line.threshold} y2={line.threshold} />}
      {line.pieces.map(piece => (
        <polyline key={piece} points={piece} />
      ))}
    </svg>
  );
}
