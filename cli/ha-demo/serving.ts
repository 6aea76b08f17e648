// Whether a host of the demo serves.
const answerMs = 2_000;

/** `url`: its endpoint's, without a path. */
export async function isServing(url: string): Promise<boolean> {
  const asked = fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(answerMs) });
  return asked.then(
    ({ ok }) => ok,
    () => false,
  );
}
