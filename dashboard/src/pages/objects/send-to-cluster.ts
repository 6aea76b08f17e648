// A request with a signed URL, straight to a cluster, in a worker of its own.
import type { Progress, SentRequest } from './upload-worker.ts';

/** Resolves when the cluster has carried it out. Rejects with the words of a refusal. */
export function sendToCluster(
  request: SentRequest,
  { onProgress, signal }: { readonly onProgress?: (sentBytes: number) => void; readonly signal?: AbortSignal } = {},
): Promise<void> {
  const worker = new Worker(new URL('./upload-worker.ts', import.meta.url), { type: 'module' });
  return new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('Cancelled.')), { once: true });
    worker.onerror = () => reject(new Error('The browser could not start the transfer.'));
    worker.onmessage = ({ data }: MessageEvent<Progress>) => {
      if (data.type === 'progress') onProgress?.(data.sentBytes);
      else if (data.status >= 200 && data.status < 300) resolve();
      else reject(new Error(refusalOf(data.status, data.text, new URL(request.url).origin)));
    };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

function refusalOf(status: number, text: string, origin: string): string {
  if (status === 0)
    return `The cluster at ${origin} does not answer this browser. Its address must be reachable from here, and by HTTPS if this page is.`;
  const message = /<Message>([^<]*)<\/Message>/.exec(text)?.[1];
  return `The cluster refused it with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
}
