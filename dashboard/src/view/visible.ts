// Readings pause while their page is hidden, and go on when it is seen.

/** Milliseconds until a failed reading is repeated. */
export const againMs = 5_000;

export function isVisible(): boolean {
  return document.visibilityState === 'visible';
}

/** Calls `act` each time when the page comes into sight. Returns a function that ends it. */
export function onVisible(act: () => void): () => void {
  const listener = (): void => {
    if (isVisible()) act();
  };
  document.addEventListener('visibilitychange', listener);
  return () => document.removeEventListener('visibilitychange', listener);
}
