// Sends a request to a cluster, which is another origin. The policy of the pages forbids that to them; this worker has one of its own
// (gateway/http/security-headers.ts). It gets a signed URL and a file, and no credential.

export interface SentRequest {
  readonly url: string;
  readonly method: 'GET' | 'PUT' | 'DELETE';
  readonly file?: File;
}

export type Progress =
  | { readonly type: 'progress'; readonly doneBytes: number }
  /** `status`: 0 without an answer. `body`: the object, or the beginning of a refusal. */
  | { readonly type: 'done'; readonly status: number; readonly body: Blob };

const tell = (progress: Progress) => self.postMessage(progress);

// One request, then the page ends the worker.
self.onmessage = ({ data }: MessageEvent<SentRequest>) => {
  if (data.method === 'GET') receive(data).catch(() => tell({ type: 'done', status: 0, body: new Blob() }));
  else send(data);
};

/** `fetch` does not tell how far an upload is. */
function send({ url, method, file }: SentRequest): void {
  const request = new XMLHttpRequest();
  request.open(method, url);
  request.responseType = 'blob';
  request.upload.onprogress = ({ loaded }) => tell({ type: 'progress', doneBytes: loaded });
  request.onloadend = () => tell({ type: 'done', status: request.status, body: request.response ?? new Blob() });
  request.send(file ?? null);
}

/** Not from the browser's cache: within a second, the signed URL of a replaced object is the same. */
async function receive({ url }: SentRequest): Promise<void> {
  const { status, body } = await fetch(url, { cache: 'no-store' });
  let doneBytes = 0;
  const counter = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, controller) {
      doneBytes += chunk.length;
      tell({ type: 'progress', doneBytes });
      controller.enqueue(chunk);
    },
  });
  tell({ type: 'done', status, body: await new Response(body?.pipeThrough(counter)).blob() });
}
