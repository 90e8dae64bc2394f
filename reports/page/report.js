// Zooming, and nothing else: the page is read without this.
"use strict";
(() => {
  const source = document.getElementById("plotly");
  const figures = JSON.parse(document.getElementById("figures").textContent);
  if (source.textContent.length === 0) return;

  // Five megabytes, which are read when somebody zooms for the first time.
  const plotly = () => {
    if (!window.Plotly) {
      const script = document.createElement("script");
      script.textContent = source.textContent;
      document.head.append(script);
    }
    return window.Plotly;
  };

  // As the static pictures: over log2(1 + value), so that 0 has a place and 1 is seen beside a million.
  const folded = (value) => (value === null ? null : Math.log2(1 + value));
  const foldedTrace = (trace, figure) => {
    if (trace.type !== "heatmap" && !figure.ticks) return trace;
    if (trace.type !== "heatmap") {
      return { ...trace, y: trace.y.map(folded), customdata: trace.y, hovertemplate: "%{x}: %{customdata}" };
    }
    const shaded = trace.z.map((row) => row.map((count) => (count === 0 ? null : folded(count))));
    return { ...trace, z: shaded, customdata: trace.z, showscale: false, colorscale: "YlOrRd", reversescale: true,
             hovertemplate: "%{y}, %{x}: %{customdata}<extra></extra>" };
  };
  const layoutOf = (figure) => {
    const axis = (title) => ({ title: { text: title }, automargin: true });
    const layout = { title: { text: figure.title }, barmode: "overlay", xaxis: { ...axis(figure.x), type: "category" }, yaxis: axis(figure.y) };
    if (figure.ticks) {
      Object.assign(layout.yaxis, { tickvals: figure.ticks.map(folded), ticktext: figure.ticks.map(String) });
    } else if (figure.data[0].type === "heatmap") {
      Object.assign(layout.yaxis, { type: "category", autorange: "reversed" });
    } else {
      Object.assign(layout.yaxis, { rangemode: "tozero" });
    }
    return layout;
  };

  const show = (figure) => {
    const dialog = document.createElement("dialog");
    const close = document.createElement("button");
    const drawing = document.createElement("div");
    close.textContent = "Close";
    drawing.className = "drawing";
    dialog.append(close, drawing);
    document.body.append(dialog);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
    plotly().newPlot(drawing, figure.data.map((trace) => foldedTrace(trace, figure)), layoutOf(figure), { responsive: true, displaylogo: false });
  };

  for (const [id, figure] of Object.entries(figures)) {
    const place = document.getElementById(id);
    if (!place) continue;
    const button = document.createElement("button");
    button.className = "zoom";
    button.textContent = "Zoom";
    button.addEventListener("click", () => show(figure));
    place.prepend(button);
  }
})();
