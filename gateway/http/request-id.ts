// The caller's own id of a request, from the header `x-request-id`. It is recorded with the gateway's own id, which no caller can choose.

/** Undefined if there is no valid one. */
export function callerRequestIdOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && /^[A-Za-z0-9._:/+=-]{1,64}$/.test(header) ? header : undefined;
}
