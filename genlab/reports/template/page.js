"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const commas = (value) => Math.round(value).toLocaleString("en-US");
  const byId = (id) => document.getElementById(id);

  // Sliders: pictures lie in the page, one of each strip is not hidden.
  for (const strip of all("[data-strip]")) {
    const range = strip.querySelector("input[type=range]");
    if (!range) continue;
    const pictures = all("figure", strip)[0].querySelectorAll("img");
    range.addEventListener("input", () => {
      pictures.forEach((picture, place) => { picture.hidden = place !== Number(range.value); });
      strip.querySelector("output").textContent = `${commas(pictures[range.value].dataset.images)} images`;
      range.setAttribute("aria-valuetext", strip.querySelector("output").textContent);
    });
  }

  // One slider for all runs: each shows the last picture that it had drawn by then.
  const together = byId("together");
  const cards = all("[data-card]");
  const showAt = (images) => {
    for (const card of cards) {
      const pictures = all("img", card);
      const place = Math.max(0, pictures.filter((one) => Number(one.dataset.images) <= images).length - 1);
      pictures.forEach((picture, at) => { picture.hidden = at !== place; });
      card.querySelector("output").textContent = `${commas(pictures[place].dataset.images)} images`;
    }
  };
  if (together) {
    const ticks = together.dataset.ticks.split(",").map(Number);
    together.addEventListener("input", () => {
      together.parentElement.querySelector("output").textContent = `${commas(ticks[together.value])} images`;
      together.setAttribute("aria-valuetext", `${commas(ticks[together.value])} images`);
      showAt(ticks[together.value]);
    });
  }
  showAt(Infinity);

  // A link to a folded run opens it.
  const open = () => {
    const target = byId(decodeURIComponent(location.hash.slice(1)));
    if (target && target.tagName === "DETAILS") target.open = true;
  };
  addEventListener("hashchange", open);
  open();

  // Tables: a heading sorts; cells without a number go last.
  const valueOf = (row, column) => {
    const cell = row.cells[column];
    if (!("value" in cell.dataset)) return cell.textContent.trim().toLowerCase();
    return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  };
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, "en", { numeric: true }));
  };
  for (const table of all("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => head.querySelector("button").addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = [...table.tBodies[0].rows];
      rows.sort((a, b) => compare(valueOf(a, column), valueOf(b, column), falling ? -1 : 1));
      table.tBodies[0].append(...rows);
    }));
  }

  // Curves.
  const charts = byId("charts");
  if (!charts) return;
  const view = { log: false, time: false };
  const groupsShown = data.groups.map((group) => group.shown);
  const [LEFT, RIGHT, TOP, BOTTOM, DOTS, ROWS] = [52, 10, 8, 22, 30, 8];

  const svg = (name, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };
  const look = (run) => `c${data.runs[run].group % 8} d${Math.floor(data.runs[run].group / 8) % 3}`;
  const number = (value) => {
    const size = Math.abs(value);
    if (value === 0) return "0";
    return size >= 1e5 || size < 1e-3 ? value.toExponential(3) : String(Number(value.toPrecision(5)));
  };
  const short = (value) => {
    const size = Math.abs(value);
    if (size >= 1e9) return `${Number((value / 1e9).toPrecision(4))}G`;
    if (size >= 1e6) return `${Number((value / 1e6).toPrecision(4))}M`;
    if (size >= 1e4) return `${Number((value / 1e3).toPrecision(4))}k`;
    return size && size < 1e-3 ? value.toExponential().replace("e-", "e−") : String(Number(value.toPrecision(4)));
  };
  const clock = (seconds) => {
    if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
    return seconds < 7200 ? `${Number((seconds / 60).toPrecision(3))} min` : `${Number((seconds / 3600).toPrecision(3))} h`;
  };

  // Seconds at a number of images, between the two nearest that are known.
  const seconds = (run, images) => {
    const [xs, times] = data.clocks[run];
    if (!xs.length) return NaN;
    const place = Math.min(Math.max(after(xs, images), 1), xs.length - 1);
    if (xs.length === 1 || xs[place] === xs[place - 1]) return times[place] ?? times[0];
    const share = (images - xs[place - 1]) / (xs[place] - xs[place - 1]);
    return times[place - 1] + share * (times[place] - times[place - 1]);
  };
  const after = (xs, x) => { // the first place that is not before x
    let [low, high] = [0, xs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (xs[middle] < x) low = middle + 1; else high = middle;
    }
    return low;
  };
  const nearest = (xs, x) => {
    const place = Math.min(after(xs, x), xs.length - 1);
    return place > 0 && x - xs[place - 1] < xs[place] - x ? place - 1 : place;
  };

  const step = (span, count) => {
    const rough = span / count, power = 10 ** Math.floor(Math.log10(rough));
    return power * [1, 2, 5, 10].find((factor) => factor * power >= rough);
  };
  const ticks = (low, high, count) => {
    const by = step(high - low, count), found = [];
    for (let at = Math.ceil(low / by); at * by <= high + by * 1e-9; at++) found.push(Number((at * by).toPrecision(12)));
    return found;
  };
  const logTicks = (low, high) => {
    const wide = Math.log10(high / low), factors = wide > 3 ? [1] : [1, 2, 5], found = [];
    const every = Math.ceil(wide / 6);
    for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
      if (factors.length === 1 && power % every) continue;
      for (const factor of factors) found.push(Number((factor * 10 ** power).toPrecision(3)));
    }
    const inside = found.filter((value) => value >= low * 0.999 && value <= high * 1.001);
    return inside.length > 1 ? inside : ticks(low, high, 4);
  };

  class Chart {
    constructor(curve) {
      this.curve = curve;
      this.figure = document.createElement("figure");
      this.figure.className = "chart";
      this.figure.hidden = !curve.shown;
      const head = document.createElement("h3");
      const grow = document.createElement("button");
      grow.type = "button";
      grow.textContent = "enlarge";
      head.append(curve.name, grow);
      this.svg = svg("svg", { tabindex: 0, role: "img" });
      this.tip = document.createElement("div");
      this.tip.className = "tip";
      this.tip.hidden = true;
      this.tip.setAttribute("role", "status");
      this.figure.append(head, this.svg, this.tip);
      grow.addEventListener("click", () => {
        grow.textContent = this.figure.classList.toggle("wide") ? "reduce" : "enlarge";
        this.draw();
      });
      this.svg.addEventListener("pointermove", (event) => this.pointed(event));
      this.svg.addEventListener("pointerdown", (event) => this.pointed(event));
      this.svg.addEventListener("pointerleave", () => hover(null));
      this.svg.addEventListener("blur", () => hover(null));
      this.svg.addEventListener("keydown", (event) => this.key(event));
    }

    draw() {
      if (this.figure.hidden) return;
      this.lines = this.curve.lines.filter(([run]) => groupsShown[data.runs[run].group])
        .map(([run, x, y]) => ({ run, x: view.time ? x.map((images) => seconds(run, images)) : x, y }));
      this.width = this.figure.clientWidth;
      this.height = this.figure.classList.contains("wide") ? 360 : 190;
      this.svg.replaceChildren();
      this.svg.setAttribute("viewBox", `0 0 ${this.width} ${this.height}`);
      this.svg.setAttribute("height", this.height);
      const ys = this.lines.flatMap((line) => line.y).filter((y) => y !== null);
      const xs = this.lines.flatMap((line) => line.x).filter(Number.isFinite);
      if (!ys.length || !xs.length) return this.empty();
      this.measure(xs, ys);
      this.axes();
      for (const line of this.lines) this.line(line);
      this.cross = svg("line", { class: "cross", y1: TOP, y2: this.height - BOTTOM, visibility: "hidden" });
      this.svg.append(this.cross);
      this.svg.setAttribute("aria-label", `${this.curve.name}: lowest ${number(this.low)}, highest ${number(this.high)}; arrow keys read values`);
    }

    empty() {
      this.lines = [];
      this.cross = null;
      this.svg.append(svg("text", { x: LEFT, y: this.height / 2 }, "nothing chosen has finite values"));
    }

    measure(xs, ys) {
      const least = (values) => values.reduce((a, b) => Math.min(a, b)), most = (values) => values.reduce((a, b) => Math.max(a, b));
      [this.low, this.high, this.first, this.last] = [least(ys), most(ys), least(xs), most(xs)];
      this.log = view.log && this.low > 0;
      if (this.first === this.last) [this.first, this.last] = [this.first * 0.9 - 1, this.last * 1.1 + 1];
      let [low, high] = [this.low, this.high];
      if (low === high) [low, high] = this.log ? [low / 1.5, high * 1.5] : [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
      const pad = this.log ? (high / low) ** 0.04 : (high - low) * 0.04;
      this.bottom = this.log ? low / pad : low - pad;
      this.top = this.log ? high * pad : high + pad;
      const [a, b] = this.log ? [Math.log(this.bottom), Math.log(this.top)] : [this.bottom, this.top];
      const tall = this.height - TOP - BOTTOM;
      this.y = (value) => TOP + tall * (1 - ((this.log ? Math.log(value) : value) - a) / (b - a));
      this.x = (value) => LEFT + (this.width - LEFT - RIGHT) * (value - this.first) / (this.last - this.first);
    }

    axes() {
      for (const value of this.log ? logTicks(this.bottom, this.top) : ticks(this.bottom, this.top, 4)) {
        const y = this.y(value);
        this.svg.append(svg("line", { class: "grid", x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }),
          svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, short(value)));
      }
      for (const value of ticks(this.first, this.last, this.width > 600 ? 8 : 4)) {
        const anchor = this.x(value) > this.width - RIGHT - 14 ? "end" : "middle";
        this.svg.append(svg("text", { x: this.x(value), y: this.height - 6, "text-anchor": anchor }, view.time ? clock(value) : short(value)));
      }
      const note = view.log && !this.log ? "linear: has values of 0 or below" : "";
      if (note) this.svg.append(svg("text", { x: this.width - RIGHT, y: TOP + 10, "text-anchor": "end" }, note));
    }

    line({ run, x, y }) {
      let path = "", pen = "M";
      x.forEach((at, place) => {
        const known = y[place] !== null && Number.isFinite(at);
        if (known) path += `${pen}${this.x(at).toFixed(1)} ${this.y(y[place]).toFixed(1)}`;
        pen = known ? "L" : "M";
      });
      this.svg.append(svg("path", { class: `line ${look(run)}`, d: path }));
      if (x.length > DOTS) return;
      x.forEach((at, place) => {
        if (y[place] !== null && Number.isFinite(at)) this.svg.append(svg("circle", { class: `dot ${look(run)}`, r: 2.2, cx: this.x(at), cy: this.y(y[place]) }));
      });
    }

    pointed(event) {
      const box = this.svg.getBoundingClientRect();
      const share = (event.clientX - box.left - LEFT) / (this.width - LEFT - RIGHT);
      this.read(this.first + Math.min(Math.max(share, 0), 1) * (this.last - this.first), event.clientY - box.top);
    }

    key(event) {
      const moves = { ArrowLeft: -1, ArrowRight: 1 };
      if (!(event.key in moves) || !this.lines.length) return;
      event.preventDefault();
      const xs = this.lines[0].x;
      const place = this.at === undefined ? xs.length - 1 : nearest(xs, this.at) + moves[event.key];
      this.read(xs[Math.min(Math.max(place, 0), xs.length - 1)], 0);
    }

    // Of the lines that reach to the nearest known x, those nearest to the pointer.
    read(x, height) {
      if (!this.lines || !this.lines.length) return;
      const near = (this.last - this.first) * 0.02;
      const points = this.lines.map((line) => ({ line, place: nearest(line.x, x) }))
        .map(({ line, place }) => ({ run: line.run, x: line.x[place], y: line.y[place], from: line.x[0] - near, to: line.x[line.x.length - 1] + near }));
      const exact = points.reduce((a, b) => (Math.abs(b.x - x) < Math.abs(a.x - x) ? b : a)).x;
      const away = (point) => (point.y === null ? Infinity : Math.abs(this.y(point.y) - height));
      const found = points.filter((point) => point.from <= exact && exact <= point.to).sort((a, b) => away(a) - away(b)).slice(0, ROWS);
      hover(exact);
      this.at = exact;
      this.tell(exact, found.sort((a, b) => b.y - a.y).map((point) => ({ ...point, apart: Math.abs(point.x - exact) > near })));
    }

    tell(x, found) {
      const head = document.createElement("div");
      head.textContent = view.time ? clock(x) : `${commas(x)} images`;
      this.tip.replaceChildren(head, ...found.map((line) => {
        const row = document.createElement("div"), mark = document.createElement("i"), value = document.createElement("b");
        mark.className = look(line.run);
        value.textContent = line.y === null ? "not finite" : number(line.y);
        const where = line.apart ? ` (at ${view.time ? clock(line.x) : short(line.x)})` : "";
        row.append(mark, ...(data.runs.length > 1 ? [data.runs[line.run].label + where] : []), value);
        return row;
      }));
      this.tip.hidden = false;
      const right = this.x(x) > this.width / 2;
      this.tip.style.left = right ? "auto" : `${this.x(x) + 10}px`;
      this.tip.style.right = right ? `${this.width - this.x(x) + 10}px` : "auto";
    }

    mark(x) { // the others show where the pointer is
      this.tip.hidden = true;
      this.at = undefined;
      if (!this.cross) return;
      const inside = x !== null && x >= this.first && x <= this.last;
      this.cross.setAttribute("visibility", inside ? "visible" : "hidden");
      if (!inside) return;
      this.cross.setAttribute("x1", this.x(x));
      this.cross.setAttribute("x2", this.x(x));
    }
  }

  const made = data.curves.map((curve) => new Chart(curve));
  const hover = (x) => made.forEach((chart) => chart.figure.hidden || chart.mark(x));
  const redraw = () => made.forEach((chart) => chart.draw());
  charts.append(...made.map((chart) => chart.figure));

  const choose = (id, change) => {
    const field = byId(id);
    if (!field) return;
    const boxes = all("input", field);
    boxes.forEach((box) => box.addEventListener("change", () => { change(box); redraw(); }));
    const set = (checked) => () => { boxes.forEach((box) => { box.checked = checked; change(box); }); redraw(); };
    field.querySelector("[data-all]").addEventListener("click", set(true));
    field.querySelector("[data-none]").addEventListener("click", set(false));
    boxes.forEach(change); // browsers keep ticks over a reload
  };
  choose("groups", (box) => { groupsShown[box.dataset.group] = box.checked; });
  choose("choose", (box) => { made[box.dataset.curve].figure.hidden = !box.checked; });
  for (const [id, key] of [["log", "log"], ["clock", "time"]]) {
    view[key] = byId(id).checked;
    byId(id).addEventListener("change", () => { view[key] = byId(id).checked; redraw(); });
  }
  new ResizeObserver(redraw).observe(charts);
  redraw();
})();
