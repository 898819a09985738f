"use strict";
(() => {
  const { nodes, edges } = JSON.parse(document.getElementById("data").textContent);
  const graph = document.getElementById("graph"), about = document.getElementById("about");
  const search = document.getElementById("search"), found = document.getElementById("found");
  const MOST = 150, WIDTH = 190, HEIGHT = 40, GAP_X = 90, GAP_Y = 18;
  const inputs = nodes.map(() => []), outputs = nodes.map(() => []);
  edges.forEach(([source, target], index) => { inputs[source].push(index); outputs[target].push(index); });
  const bad = (node) => node[6] !== "" || node[2] !== "proven";
  const first = Math.max(0, nodes.findIndex((node) => node[6] !== ""));
  let focus = first, depth = 2;

  const element = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const clip = (text, most) => (text.length > most ? text.slice(0, most - 1) + "\u2026" : text);

  const near = () => {  // breadth first, both ways
    const seen = new Map([[focus, 0]]), queue = [focus];
    let hidden = 0;
    for (let at = 0; at < queue.length; at++) {
      const here = queue[at], far = seen.get(here);
      if (far >= depth) continue;
      for (const other of [...inputs[here].map((e) => edges[e][1]), ...outputs[here].map((e) => edges[e][0])]) {
        if (seen.has(other)) continue;
        if (seen.size >= MOST) { hidden++; continue; }
        seen.set(other, far + 1);
        queue.push(other);
      }
    }
    return { shown: [...seen.keys()], hidden };
  };

  const place = (shown) => {  // a layer for each distance from the artifact, ordered by the mean place of neighbours
    const layers = new Map();
    for (const index of shown) {
      const layer = nodes[index][4];
      if (!layers.has(layer)) layers.set(layer, []);
      layers.get(layer).push(index);
    }
    const keys = [...layers.keys()].sort((one, other) => one - other), row = new Map();
    keys.forEach((key) => layers.get(key).sort((a, b) => a - b).forEach((index, at) => row.set(index, at)));
    for (let sweep = 0; sweep < 4; sweep++) {
      for (const key of sweep % 2 ? [...keys].reverse() : keys) {
        const mean = (index) => {
          const around = [...inputs[index].map((e) => edges[e][1]), ...outputs[index].map((e) => edges[e][0])]
            .filter((other) => row.has(other) && nodes[other][4] !== key).map((other) => row.get(other));
          return around.length ? around.reduce((sum, each) => sum + each, 0) / around.length : row.get(index);
        };
        const means = new Map(layers.get(key).map((index) => [index, mean(index)]));
        layers.get(key).sort((a, b) => means.get(a) - means.get(b) || a - b).forEach((index, at) => row.set(index, at));
      }
    }
    const tallest = Math.max(...keys.map((key) => layers.get(key).length)), places = new Map();
    keys.forEach((key, column) => {
      const layer = layers.get(key), top = (tallest - layer.length) * (HEIGHT + GAP_Y) / 2;
      const x = 12 + (keys.length - 1 - column) * (WIDTH + GAP_X);
      layer.forEach((index, at) => places.set(index, [x, 12 + top + at * (HEIGHT + GAP_Y)]));
    });
    return { places, width: 24 + keys.length * (WIDTH + GAP_X) - GAP_X, height: 24 + tallest * (HEIGHT + GAP_Y) - GAP_Y };
  };

  const describe = (index) => {
    const [name, digest, status, state, , contributor, problem] = nodes[index];
    const parts = [`${name}: ${status} (${state})`];
    if (contributor) parts.push(`by ${contributor}`);
    if (digest) parts.push(`sha256:${digest}`);
    if (problem) parts.push(problem);
    return parts.join(" \u00b7 ");
  };

  const draw = (keep) => {
    const { shown, hidden } = near(), { places, width, height } = place(shown);
    const svg = element("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": "artifacts around the chosen one; inputs to the left" });
    for (const [source, target, kind, role] of edges) {
      if (!places.has(source) || !places.has(target)) continue;
      const [x2, y2] = places.get(source), [x1, y1] = places.get(target);
      const from = x1 + WIDTH, bend = Math.max(30, Math.abs(x2 - from) / 2);
      const line = element("path", { d: `M${from},${y1 + HEIGHT / 2}C${from + bend},${y1 + HEIGHT / 2} ` +
        `${x2 - bend},${y2 + HEIGHT / 2} ${x2},${y2 + HEIGHT / 2}` });
      line.append(element("title", {}, `${nodes[target][0]} \u2192 ${kind}${role ? ` as ${role}` : ""} \u2192 ${nodes[source][0]}`));
      svg.append(line);
    }
    for (const index of shown) {
      const [x, y] = places.get(index), node = nodes[index];
      const classes = ["node", `is-${node[2]}`, node[6] ? "is-bad" : "", index === focus ? "is-focus" : ""];
      const group = element("g", { class: classes.join(" ").trim(), tabindex: 0, role: "button", "data-node": index,
        transform: `translate(${x},${y})`, "aria-label": describe(index) });
      group.append(element("rect", { width: WIDTH, height: HEIGHT }), element("title", {}, describe(index)));
      const mark = { proven: "\u2713", asserted: "~", missing: "?" }[node[2]];
      group.append(element("text", { x: 9, y: 17 }, `${node[6] ? "!" : mark} ${clip(node[0], 25)}`));
      group.append(element("text", { x: 9, y: 32, class: "role" }, clip(node[5] ? `${node[3]}, ${node[5]}` : node[3], 30)));
      svg.append(group);
    }
    graph.replaceChildren(svg);
    const more = hidden ? ` \u00b7 ${hidden} more are not drawn` : "";
    about.textContent = `${describe(focus)}${more} \u00b7 ${shown.length} of ${nodes.length} artifacts drawn, ${depth} steps around`;
    const [x, y] = places.get(focus);
    graph.scrollTo(x - graph.clientWidth / 2 + WIDTH / 2, y - graph.clientHeight / 2);
    if (keep) svg.querySelector(".is-focus").focus({ preventScroll: true });
  };

  const go = (index, steps, keep) => {
    focus = index;
    depth = Math.min(50, Math.max(0, steps));
    const name = nodes[index][1] || nodes[index][0];
    history.replaceState(null, "", `#focus=${encodeURIComponent(name)}&depth=${depth}`);
    draw(keep);
  };

  const follow = () => {  // #focus=DIGEST-OR-NAME&depth=N
    const asked = new URLSearchParams(location.hash.slice(1)), name = asked.get("focus");
    if (name === null) return draw(false);
    const index = nodes.findIndex((node) => node[1] === name || node[0] === name || (name.length > 7 && node[1].startsWith(name)));
    if (index >= 0) focus = index;
    const steps = Number.parseInt(asked.get("depth") ?? "2", 10);
    depth = Number.isFinite(steps) ? Math.min(50, Math.max(0, steps)) : 2;
    draw(false);
    if (index >= 0) document.getElementById("lineage").scrollIntoView();
  };

  graph.addEventListener("click", (event) => {
    const group = event.target.closest("g.node");
    if (group) go(Number(group.dataset.node), depth, true);
  });
  graph.addEventListener("keydown", (event) => {
    const group = event.target.closest("g.node");
    if (!group) return;
    const here = Number(group.dataset.node);
    if (event.key === "Enter" || event.key === " ") go(here, depth, true);
    else if (event.key === "ArrowLeft" && inputs[here].length) go(edges[inputs[here][0]][1], depth, true);
    else if (event.key === "ArrowRight" && outputs[here].length) go(edges[outputs[here][0]][0], depth, true);
    else return;
    event.preventDefault();
  });
  document.getElementById("more").addEventListener("click", () => go(focus, depth + 1, false));
  document.getElementById("less").addEventListener("click", () => go(focus, depth - 1, false));
  document.getElementById("home").addEventListener("click", () => go(0, 2, false));
  const troubled = nodes.map((_, index) => index).filter((index) => bad(nodes[index]));
  const next = document.getElementById("next");
  next.disabled = troubled.length === 0;
  next.addEventListener("click", () => go(troubled.find((index) => index > focus) ?? troubled[0], depth, false));
  search.addEventListener("input", () => {
    const wanted = search.value.toLowerCase();
    const hits = wanted ? nodes.map((_, index) => index).filter((index) =>
      `${nodes[index][0]} ${nodes[index][1]} ${nodes[index][5]}`.toLowerCase().includes(wanted)) : [];
    found.textContent = wanted ? `${hits.length} found` : "";
    search.dataset.hit = hits.length ? hits[0] : "";
  });
  search.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && search.dataset.hit) go(Number(search.dataset.hit), depth, false);
  });
  addEventListener("hashchange", follow);
  document.getElementById("tools").hidden = false;
  follow();
})();
