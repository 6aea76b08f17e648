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

// One request, then the page ends the worker.
self.onmessage = ({ data: { url, method, file } }: MessageEvent<SentRequest>) => {
  const tell = (progress: Progress) => self.postMessage(progress);
  const request = new XMLHttpRequest();
  request.open(method, url);
  // A browser keeps a large one on its disk.
  request.responseType = 'blob';
  const onProgress = ({ loaded }: ProgressEvent) => tell({ type: 'progress', doneBytes: loaded });
  if (method === 'GET') request.onprogress = onProgress;
  else request.upload.onprogress = onProgress;
  request.onloadend = () => tell({ type: 'done', status: request.status, body: request.response ?? new Blob() });
  request.send(file ?? null);
};
