"use strict";
// The page is complete without this script: it adds zooming, reading values out, and copying.
(() => {
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const code = button.nextElementSibling;
      const done = () => { button.textContent = "Copied"; setTimeout(() => { button.textContent = "Copy"; }, 1500); };
      const select = () => { getSelection().selectAllChildren(code); document.execCommand("copy"); done(); };
      if (navigator.clipboard) navigator.clipboard.writeText(code.textContent).then(done, select); else select();
    });
  }

  const svg = document.getElementById("overview");
  const data = JSON.parse(document.getElementById("overview-data").textContent);
  const [left, width, bottom] = data.pane, wide = svg.viewBox.baseVal.width;
  const tools = document.querySelector(".tools"), output = tools.querySelector("output");
  const ticks = svg.querySelector(".v-ticks"), panes = svg.querySelectorAll(".v-zoom");
  const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" "), DAY = 864e5, MONTH = 30.44 * DAY;
  const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 15e3, 3e4, 6e4, 12e4, 3e5, 6e5, 9e5, 18e5,
    36e5, 72e5, 108e5, 216e5, 432e5, DAY, 2 * DAY, 7 * DAY, 14 * DAY];
  let from = 0, to = data.n, pressed = null; // cells in sight; where the pointer went down

  // A tooltip over the whole picture would hide what is read out: keep its words for screen readers only.
  svg.setAttribute("aria-label", [...svg.querySelectorAll(":scope > title, :scope > desc")].map((e) => e.textContent).join(". "));
  svg.removeAttribute("aria-labelledby");
  svg.querySelector("title").remove();
  svg.classList.add("live");
  tools.hidden = false;

  const make = (name, css) => { const made = document.createElementNS(svg.namespaceURI, name); made.setAttribute("class", css); return made; };
  const cross = svg.appendChild(make("path", "cross")), chosen = svg.appendChild(make("rect", "chosen"));
  const valueAt = (cell) => data.start + cell * data.step, cellAt = (x) => from + (x - left) / width * (to - from);
  const place = (cell) => left + (cell - from) / (to - from) * width; // of a cell's left edge
  const plain = (value) => value.toLocaleString("en-US", { maximumSignificantDigits: 5 }).replace("-", "\u2212");

  const clock = (ms, step) => new Date(ms).toISOString().slice(11, step >= 6e4 ? 16 : step >= 1e3 ? 19 : 23);
  function stamp(cell) {
    if (!data.clock) return plain(valueAt(cell));
    const ms = Math.round(valueAt(cell)), day = new Date(ms).toISOString().slice(0, 10);
    return data.step % DAY === 0 ? day : `${day} ${clock(ms, data.step % 6e4 === 0 ? 6e4 : data.step % 1e3 === 0 ? 1e3 : 1)}`;
  }
  function timeTicks(low, high, n) {
    const step = STEPS.find((size) => (high - low) / size <= 1.6 * n), found = [];
    if (step) {
      const origin = step % (7 * DAY) === 0 ? 4 * DAY : 0; // weeks begin on Mondays
      for (let t = origin + Math.ceil((low - origin) / step) * step; t <= high; t += step) {
        const d = new Date(t), day = `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`;
        found.push(step >= DAY ? [t, day, d.getUTCFullYear()] : [t, clock(t, step), `${day} ${d.getUTCFullYear()}`]);
      }
      return found;
    }
    const months = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200].find((m) => (high - low) / m / MONTH <= 1.6 * n) || 12e3;
    const first = new Date(low), begin = first.getUTCFullYear() * 12 + first.getUTCMonth();
    for (let m = Math.floor(begin / months) * months, t; (t = Date.UTC(Math.floor(m / 12), m % 12)) <= high; m += months) {
      const d = new Date(t);
      if (t >= low) found.push([t, months >= 12 ? `${d.getUTCFullYear()}` : `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`, ""]);
    }
    return found;
  }
  function numberTicks(low, high, n) {
    const rough = (high - low) / n, power = 10 ** Math.floor(Math.log10(rough)), found = [];
    const step = power * (rough / power >= 7.07 ? 10 : rough / power >= 3.16 ? 5 : rough / power >= 1.41 ? 2 : 1);
    for (let k = Math.ceil(low / step) + 0; k * step <= high; k++) found.push([k * step, plain(k * step), ""]);
    return found;
  }
  function text(x, y, words, css) {
    const made = ticks.appendChild(make("text", css));
    for (const [key, value] of Object.entries({ x, y, "text-anchor": "middle" })) made.setAttribute(key, value);
    made.textContent = words;
  }
  function draw() {
    for (const pane of panes) pane.setAttribute("viewBox", `${from} 0 ${to - from} ${pane.viewBox.baseVal.height}`);
    ticks.replaceChildren();
    let context = "";
    for (const [value, label, below] of (data.clock ? timeTicks : numberTicks)(valueAt(from - 0.5), valueAt(to - 0.5), 7)) {
      const x = place((value - data.start) / data.step + 0.5);
      ticks.appendChild(make("path", "v-axis")).setAttribute("d", `M${x},${bottom}v5`);
      text(x, bottom + 18, label, "");
      if (below && below !== context) text(x, bottom + 33, context = below, "v-faint");
    }
    const taken = [];
    for (const badge of svg.querySelectorAll(".v-badge")) {
      const x = place(Number(badge.dataset.at)), free = x >= left && x <= left + width && taken.every((other) => Math.abs(other - x) >= 19);
      if (free) taken.push(x);
      badge.setAttribute("visibility", free ? "visible" : "hidden");
      badge.setAttribute("transform", `translate(${x},32)`);
    }
    for (const part of svg.querySelectorAll(".v-part")) {
      const a = Math.max(left, place(Number(part.dataset.from))), b = Math.min(left + width, place(Number(part.dataset.to)));
      part.setAttribute("x", (a + b) / 2);
      part.setAttribute("visibility", b - a > 6.5 * part.textContent.length ? "visible" : "hidden");
    }
  }
  function show(a, b) { // the cells from a to b, at least eight
    const size = Math.min(data.n, Math.max(b - a, Math.min(8, data.n)));
    from = Math.min(Math.max(0, (a + b - size) / 2), data.n - size), to = from + size;
    cross.removeAttribute("d");
    draw();
  }
  function nearest({ cells, values }, cell) {
    if (!cells) return Math.min(Math.max(cell, 0), values.length - 1);
    let low = 0, high = cells.length - 1;
    while (high - low > 1) { const middle = (low + high) >> 1; if (cells[middle] <= cell) low = middle; else high = middle; }
    return cell - cells[low] <= cells[high] - cell ? low : high;
  }
  function read(x) {
    const scores = data.curves.at(-1), wanted = Math.floor(cellAt(x));
    const at = nearest(scores, wanted), cell = scores.cells ? scores.cells[at] : at;
    cross.setAttribute("d", `M${place(cell + 0.5)},40V${bottom}`);
    output.replaceChildren();
    const say = (name, words) => {
      const item = output.appendChild(document.createElement("span")), bold = document.createElement("b");
      bold.textContent = words;
      item.append(bold, ` ${name}`);
    };
    say("", stamp(cell));
    for (const curve of data.curves) {
      const value = curve.values[nearest(curve, cell)];
      say(curve.name, value === null ? "missing" : plain(value));
    }
    if (data.threshold !== null && scores.values[at] > data.threshold) say("", "above the threshold");
  }

  const release = () => { pressed = null; chosen.setAttribute("width", 0); };
  const across = (event) => {
    const box = svg.getBoundingClientRect();
    return Math.min(left + width, Math.max(left, (event.clientX - box.left) / box.width * wide));
  };
  svg.addEventListener("pointerdown", (event) => { if (event.button === 0) { pressed = across(event); svg.setPointerCapture(event.pointerId); } });
  svg.addEventListener("pointermove", (event) => {
    const x = across(event);
    read(x);
    if (pressed === null) return;
    const box = { x: Math.min(pressed, x), y: 40, width: Math.abs(x - pressed), height: bottom - 40 };
    for (const [key, value] of Object.entries(box)) chosen.setAttribute(key, value);
  });
  svg.addEventListener("pointerup", (event) => {
    const x = across(event);
    if (pressed !== null && Math.abs(x - pressed) > 6) show(cellAt(Math.min(pressed, x)), cellAt(Math.max(pressed, x)));
    release();
  });
  svg.addEventListener("pointercancel", release);
  svg.addEventListener("dblclick", () => show(0, data.n));
  tools.addEventListener("click", (event) => {
    const size = to - from, how = event.target.dataset.zoom;
    const moves = { in: [size / 4, -size / 4], out: [-size / 2, size / 2], back: [-size / 2, -size / 2], on: [size / 2, size / 2] };
    if (how === "all") show(0, data.n); else if (how) show(from + moves[how][0], to + moves[how][1]);
  });
})();
