// The one-time code in the link that `npm start` prints: #code=… A browser sends no server what is behind the #.

const pattern = /^#code=([\w-]{1,64})$/;

/** A link that is opened where the dashboard is open changes only what is behind the #. The code is taken when the page is loaded. */
export function watchForCode(): void {
  window.addEventListener('hashchange', () => {
    if (pattern.test(window.location.hash)) window.location.reload();
  });
}

/** The code in the address, which is removed from it and from the browser's history. */
export function takeCode(): string | undefined {
  const [, code] = pattern.exec(window.location.hash) ?? [];
  if (code === undefined) return undefined;
  window.history.replaceState(null, '', `${window.location.pathname}${window.location.search}`);
  return code;
}
