// Sends a request to a cluster, which is another origin. The policy of the pages forbids that to them; this worker has one of its own
// (gateway/http/security-headers.ts). It gets a signed URL and a file, and no credential.

export interface SentRequest {
  readonly url: string;
  readonly method: 'PUT' | 'DELETE';
  readonly file?: File;
}

export type Progress =
  | { readonly type: 'progress'; readonly sentBytes: number }
  /** `status`: 0 without an answer. `text`: the beginning of a refusal. */
  | { readonly type: 'done'; readonly status: number; readonly text: string };

const longestText = 2_000;

// One request, then the page ends the worker.
self.onmessage = ({ data: { url, method, file } }: MessageEvent<SentRequest>) => {
  const tell = (progress: Progress) => self.postMessage(progress);
  const request = new XMLHttpRequest();
  request.open(method, url);
  request.upload.onprogress = ({ loaded }) => tell({ type: 'progress', sentBytes: loaded });
  request.onloadend = () =>
    tell({ type: 'done', status: request.status, text: request.responseText.slice(0, longestText) });
  request.send(file ?? null);
};
