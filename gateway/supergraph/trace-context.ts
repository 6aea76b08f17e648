// The caller's trace (W3C Trace Context), which is passed on to subgraphs unchanged.

export interface TraceContext {
  readonly traceparent: string;
  readonly tracestate?: string;
}

/** Version 00, or a later one, which may have more parts. */
const parent = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(-[\x21-\x7e]{1,200})?$/;
/** Longer values may be dropped (section 3.3.1.5). */
const state = /^[\x20-\x7e]{1,512}$/;

/** Undefined if there is no valid one. */
export function traceContextOf(headers: ReadonlyMap<string, string>): TraceContext | undefined {
  const [traceparent, tracestate] = [headers.get('traceparent'), headers.get('tracestate')];
  if (traceparent === undefined || !parent.test(traceparent)) return undefined;
  if (traceparent.startsWith('00-') && traceparent.length > 55) return undefined;
  return { traceparent, ...(tracestate !== undefined && state.test(tracestate) ? { tracestate } : {}) };
}
