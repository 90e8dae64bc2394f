// Zooming, and nothing else: the page is read without this.
'use strict';
(() => {
  const source = document.getElementById('plotly');
  const figures = JSON.parse(document.getElementById('figures').textContent);
  if (source.textContent.length === 0) return;

  // Five megabytes are read when somebody zooms for the first time.
  const plotly = () => {
    if (!window.Plotly) {
      const script = document.createElement('script');
      script.textContent = source.textContent;
      document.head.append(script);
    }
    return window.Plotly;
  };

  const show = (figure) => {
    const dialog = document.createElement('dialog');
    const close = document.createElement('button');
    const drawing = document.createElement('div');
    close.textContent = 'Close';
    drawing.className = 'drawing';
    dialog.append(close, drawing);
    document.body.append(dialog);
    close.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => dialog.remove());
    dialog.showModal();
    const layout = Object.assign({title: {text: figure.title}, barmode: 'overlay', autosize: true}, figure.layout);
    plotly().newPlot(drawing, figure.data, layout, {responsive: true, displaylogo: false});
  };

  for (const [id, figure] of Object.entries(figures)) {
    const place = document.getElementById(id);
    if (!place) continue;
    const button = document.createElement('button');
    button.className = 'zoom';
    button.textContent = 'Zoom';
    button.addEventListener('click', () => show(figure));
    place.prepend(button);
  }
})();
