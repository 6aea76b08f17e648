// A request with a signed URL, straight to a cluster, in a worker of its own.
import { formatBytes } from '../../view/format.ts';
import type { SendOptions } from './transfers.ts';
import type { Progress, SentRequest } from './upload-worker.ts';

const mostTextBytes = 2_000;

/** The body of the answer, when the cluster has carried it out. Rejects with the words of a refusal. */
export function sendToCluster(request: SentRequest, { onProgress, signal }: Partial<SendOptions> = {}): Promise<Blob> {
  const worker = new Worker(new URL('./upload-worker.ts', import.meta.url), { type: 'module' });
  let reachedBytes = 0;
  return new Promise<Blob>((resolve, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('Cancelled.')), { once: true });
    worker.onerror = () => reject(new Error('The browser could not start the transfer.'));
    worker.onmessage = ({ data }: MessageEvent<Progress>) => {
      if (data.type === 'progress') {
        reachedBytes = data.doneBytes;
        onProgress?.(data.doneBytes);
      } else if (data.status >= 200 && data.status < 300) resolve(data.body);
      else void refusalOf(data.status, data.body, request, reachedBytes).then((text) => reject(new Error(text)));
    };
    worker.postMessage(request);
  }).finally(() => worker.terminate());
}

async function refusalOf(status: number, body: Blob, { url }: SentRequest, reachedBytes: number): Promise<string> {
  const { origin } = new URL(url);
  if (status === 0 && reachedBytes > 0)
    return `The connection to the cluster at ${origin} broke after ${formatBytes(reachedBytes)}.`;
  if (status === 0)
    return `The cluster at ${origin} does not answer this browser. Its address must be reachable from here, and by HTTPS if this page is.`;
  const message = /<Message>([^<]*)<\/Message>/.exec(await body.slice(0, mostTextBytes).text())?.[1];
  return `The cluster refused it with HTTP ${status}${message === undefined ? '' : `: ${message}`}`;
}
