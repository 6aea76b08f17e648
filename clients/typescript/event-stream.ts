// Server-Sent Events (WHATWG HTML, section 9.2) as GraphQL over SSE uses them, read from an answer of `fetch` as fast as the caller takes
// them.

export interface ServerSentEvent {
  /** `next`, `complete`, or '' for a comment. */
  readonly event: string;
  readonly data: string;
}

const largestEventCharacters = 8 * 1024 * 1024;

/** Rejects when nothing came for `silentAfterMs`, and for what is lost. Ends with the answer. */
export async function* eventsOf(response: Response, silentAfterMs: number): AsyncGenerator<ServerSentEvent> {
  const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader();
  const decoder = new TextDecoder();
  let text = '';
  let [event, data] = ['', ''];
  try {
    for (;;) {
      const { done, value } = await within(reader.read(), silentAfterMs);
      // What has no blank line behind it has not arrived as a whole.
      if (done) return;
      const searchFrom = text.length;
      text += decoder.decode(value, { stream: true });
      if (text.length > largestEventCharacters) throw new Error('an event is larger than allowed');
      if (!text.includes('\n', searchFrom)) continue;
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines.map((each) => each.replace(/\r$/, ''))) {
        if (line === '') {
          if (event !== '') yield { event, data };
          [event, data] = ['', ''];
        } else if (line.startsWith(':')) {
          yield { event: '', data: '' };
        } else {
          const [, name, rest = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? [];
          if (name === 'event') event = rest;
          if (name === 'data') data = data === '' ? rest : `${data}\n${rest}`;
        }
      }
    }
  } finally {
    // Never awaited: a connection that is gone may not say so.
    reader.cancel().catch(() => undefined);
  }
}

async function within<Value>(promise: Promise<Value>, ms: number): Promise<Value> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
