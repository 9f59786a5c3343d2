/* A table of any length: only the rows in sight are in the page, and Python is asked for those alone. */

const ROW = 30; // pixels; as in fleet_table.css
const AROUND = 8; // rows above and below what is in sight
const MOST_KEPT = 4000;
const TRIES = 20;
const PATIENCE = 5000; // ms after which an answer is taken for lost
const SVG = 'http://www.w3.org/2000/svg';
const MARKS = { done: '✓', failed: '✕', waiting: '·' };
let tables = 0;

const make = (tag, css, role) => {
  const made = document.createElement(tag);
  made.className = css;
  if (role) made.setAttribute('role', role);
  return made;
};

class Row {
  constructor(columns) {
    this.node = make('div', 'vaenb-fleet-row', 'row');
    this.cells = columns.map((column, at) => {
      const cell = make('div', column.number ? 'vaenb-fleet-cell vaenb-is-number' : 'vaenb-fleet-cell', 'gridcell');
      cell.setAttribute('aria-colindex', at + 1);
      this.node.append(cell);
      return cell;
    });
    this.last = make('div', 'vaenb-fleet-cell vaenb-fleet-scores', 'gridcell');
    this.last.setAttribute('aria-colindex', columns.length + 1);
    this.svg = document.createElementNS(SVG, 'svg');
    this.svg.setAttribute('viewBox', '0 0 160 24');
    this.svg.setAttribute('preserveAspectRatio', 'none');
    this.svg.setAttribute('aria-hidden', 'true');
    this.upper = document.createElementNS(SVG, 'svg'); // the same line above the threshold, in another colour
    this.upper.setAttribute('height', '12');
    [this.line, this.over, this.mark] = ['line', 'over', 'mark'].map(css => {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('class', `vaenb-fleet-${css}`);
      (css === 'over' ? this.upper : this.svg).append(path);
      return path;
    });
    this.svg.append(this.upper);
    this.mark.setAttribute('d', 'M0 12H160');
    this.why = make('span', 'vaenb-fleet-why');
    this.last.append(this.svg, this.why);
    this.node.append(this.last);
  }

  fill(data, spark) {
    this.name = data?.name ?? '';
    this.node.dataset.status = data?.status ?? 'unknown';
    this.node.setAttribute('aria-busy', String(!data));
    this.cells.forEach((cell, at) => {
      const text = data ? data.cells[at] : at ? '' : '…';
      const shown = data && at === 1 ? `${MARKS[text] ?? ''} ${text}` : text;
      if (cell.textContent !== shown) cell.textContent = shown;
    });
    this.cells[0].title = this.name;
    const why = data?.status === 'failed' ? data.reason : '';
    this.why.textContent = this.last.title = why;
    this.svg.style.display = data?.status === 'done' ? '' : 'none';
    for (const path of [this.line, this.over]) path.setAttribute('d', spark ?? '');
    this.node.classList.toggle('vaenb-has-spark', Boolean(spark));
  }
}

class Table {
  constructor(model, el) {
    this.model = model;
    this.ident = `vaenb-fleet-${++tables}`;
    this.kept = new Map(); // place -> {version, ...row}
    this.sparks = new Map(); // name -> path
    this.shown = new Map(); // place -> Row
    this.free = [];
    this.active = -1;
    this.tries = 0;
    this.asked = 0; // when the question that is open was asked; 0: none is
    this.build(el);
    this.listen();
    this.draw();
  }

  build(el) {
    this.columns = this.model.get('columns');
    this.grid = make('div', 'vaenb-fleet-grid', 'grid');
    this.grid.tabIndex = 0;
    this.grid.dataset.lmSuppressShortcuts = 'true'; // JupyterLab leaves the arrow keys to the table
    this.grid.setAttribute('aria-label', this.model.get('label'));
    this.grid.setAttribute('aria-colcount', this.columns.length + 1);
    const head = make('div', 'vaenb-fleet-row vaenb-fleet-head', 'row');
    head.setAttribute('aria-rowindex', 1);
    this.heads = this.columns.map((column, at) => {
      const cell = make('div', column.number ? 'vaenb-fleet-cell vaenb-is-number' : 'vaenb-fleet-cell', 'columnheader');
      cell.setAttribute('aria-colindex', at + 1);
      const button = make('button', 'vaenb-fleet-sort');
      button.type = 'button';
      button.append(column.title, make('span', 'vaenb-fleet-arrow'));
      button.title = `Sort by ${column.title.toLowerCase()}`;
      button.addEventListener('click', () => this.model.send({ kind: 'sort', column: column.key }));
      cell.append(button);
      head.append(cell);
      return cell;
    });
    const last = make('div', 'vaenb-fleet-cell', 'columnheader');
    last.setAttribute('aria-colindex', this.columns.length + 1);
    last.textContent = 'Scores';
    last.title = 'Lowest and highest score of each piece; the dashed line is the threshold, at the same height in each row';
    head.append(last);
    this.body = make('div', 'vaenb-fleet-body', 'presentation');
    this.body.tabIndex = -1;
    this.space = make('div', 'vaenb-fleet-space', 'presentation');
    this.empty = make('div', 'vaenb-fleet-empty');
    this.body.append(this.space, this.empty);
    this.grid.append(head, this.body);
    el.append(this.grid);
  }

  listen() {
    const soon = () => this.soon();
    this.body.addEventListener('scroll', soon, { passive: true });
    this.body.addEventListener('click', event => this.onClick(event));
    this.grid.addEventListener('keydown', event => this.onKey(event));
    this.grid.addEventListener('focus', () => this.go(Math.max(0, this.active), false));
    this.seen = new ResizeObserver(soon);
    this.seen.observe(this.body);
    this.onState = soon;
    this.onMessage = message => this.hear(message);
    this.model.on('change', this.onState);
    this.model.on('msg:custom', this.onMessage);
  }

  end() {
    this.model.off('change', this.onState);
    this.model.off('msg:custom', this.onMessage);
    this.seen.disconnect();
    cancelAnimationFrame(this.frame);
  }

  get length() {
    return this.model.get('n_rows');
  }

  // ------------------------------------------------------------------ drawing

  soon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    if (!this.body.clientHeight) {
      // Not on screen, or taken off it and put back while JupyterLab changes its theme, which no observer may see.
      if (this.tries++ < TRIES) setTimeout(() => this.soon(), 100);
      return;
    }
    this.tries = 0;
    const n = this.length;
    this.grid.setAttribute('aria-rowcount', n + 1);
    const tall = `${n * ROW}px`;
    if (this.space.style.height !== tall) this.space.style.height = tall;
    this.empty.textContent = n ? '' : this.model.get('empty');
    this.active = Math.min(this.active, n - 1);
    this.drawHeads();
    const first = Math.max(0, Math.floor(this.body.scrollTop / ROW) - AROUND);
    const stop = Math.min(n, Math.ceil((this.body.scrollTop + this.body.clientHeight) / ROW) + AROUND);
    for (const [place, row] of this.shown) {
      if (place < first || place >= stop) {
        this.shown.delete(place);
        this.free.push(row);
      }
    }
    for (let place = first; place < stop; place++) this.drawRow(place);
    for (const row of this.free.splice(0)) row.node.remove();
    const here = this.shown.get(this.active);
    if (here) this.grid.setAttribute('aria-activedescendant', here.node.id);
    else this.grid.removeAttribute('aria-activedescendant');
    this.ask(first, stop);
  }

  drawRow(place) {
    let row = this.shown.get(place);
    if (!row) {
      row = this.free.pop() ?? new Row(this.columns);
      row.node.id = `${this.ident}-${place}`;
      row.node.style.transform = `translateY(${place * ROW}px)`;
      row.node.setAttribute('aria-rowindex', place + 2);
      row.data = row.spark = null;
      row.isNew = true;
      this.shown.set(place, row);
      if (row.node.parentNode !== this.space) this.space.append(row.node);
    }
    const data = this.kept.get(place);
    const spark = data && this.sparks.get(data.name);
    if (row.isNew || row.data !== data || row.spark !== spark) {
      [row.data, row.spark, row.isNew] = [data, spark, false];
      row.fill(data, spark);
    }
    row.node.classList.toggle('vaenb-is-active', place === this.active);
    row.node.setAttribute('aria-selected', String(Boolean(row.name) && row.name === this.model.get('opened')));
  }

  drawHeads() {
    const [by, down] = [this.model.get('sorted_by'), this.model.get('descending')];
    this.columns.forEach((column, at) => {
      const sort = column.key !== by ? 'none' : down ? 'descending' : 'ascending';
      this.heads[at].setAttribute('aria-sort', sort);
    });
  }

  // ------------------------------------------------------------------ rows from Python

  ask(first, stop) {
    const version = this.model.get('version');
    const lacks = place => this.kept.get(place)?.version !== version;
    let from = first;
    while (from < stop && !lacks(from)) from++;
    if (from >= stop) return;
    let to = stop;
    while (!lacks(to - 1)) to--;
    const now = performance.now();
    if (this.asked && now - this.asked < PATIENCE) return; // the answer looks again what is missing
    this.asked = now;
    this.model.send({ kind: 'rows', start: from, stop: to });
  }

  hear(message) {
    if (message.kind === 'sparks') {
      for (const [name, spark] of Object.entries(message.sparks)) this.sparks.set(name, spark);
    } else if (message.kind === 'rows') {
      this.asked = 0;
      if (this.kept.size > MOST_KEPT) this.forget();
      message.rows.forEach((row, at) => {
        const { spark, ...data } = row;
        if (spark) this.sparks.set(row.name, spark);
        this.kept.set(message.start + at, { ...data, version: message.version });
      });
    }
    this.soon();
  }

  forget() {
    for (const place of this.kept.keys()) if (!this.shown.has(place)) this.kept.delete(place);
    const names = new Set([...this.kept.values()].map(row => row.name));
    for (const name of this.sparks.keys()) if (!names.has(name)) this.sparks.delete(name);
  }

  // ------------------------------------------------------------------ gestures

  onClick(event) {
    const node = event.target.closest('.vaenb-fleet-row');
    for (const [place, row] of this.shown) {
      if (row.node === node) {
        this.active = place;
        this.open(row);
      }
    }
  }

  open(row) {
    if (row?.name) this.model.send({ kind: 'open', name: row.name });
    this.soon();
  }

  onKey(event) {
    if (event.target !== this.grid || event.ctrlKey || event.metaKey || event.altKey) return;
    const page = Math.max(1, Math.floor(this.body.clientHeight / ROW) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key in steps) this.go(this.active + steps[event.key], true);
    else if (event.key === 'Enter' || event.key === ' ') this.open(this.shown.get(this.active));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go(place, moves) {
    this.active = Math.max(0, Math.min(this.length - 1, place));
    const top = this.active * ROW;
    if (moves) {
      const low = top + ROW - this.body.clientHeight;
      this.body.scrollTop = Math.max(low, Math.min(top, this.body.scrollTop));
    }
    this.draw();
  }
}

export default {
  render({ model, el }) {
    const table = new Table(model, el);
    return () => table.end();
  }
};
