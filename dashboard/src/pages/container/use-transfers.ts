// The transfers of a container's page: each gets a signed URL just before it starts, and goes straight to a cluster.
import { useEffect, useMemo, useSyncExternalStore } from 'react';
import {
  ContainerDownloadUrlDocument,
  ContainerNamedDocument,
  ContainerUploadUrlDocument,
} from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import type { Requester } from '../../graph/request.ts';
import { formatBytes } from '../../view/format.ts';
import { failuresOf } from '../../view/refusal.tsx';
import { type Chosen, mostFiles } from './chosen-files.ts';
import { sendToCluster } from './send-to-cluster.ts';
import { NameTaken, type Send, type Transfer, Transfers, type Wish } from './transfers.ts';

/** One upload of S3: larger objects need several parts, which the S3 tools send. */
const mostUploadBytes = 5 * 1_024 ** 3;
/** A browser assembles the file before it saves it. */
const mostDownloadBytes = 1_024 ** 3;
const mostNameBytes = 1_024;

export interface TransferControl {
  readonly all: readonly Transfer[];
  readonly transfers: Transfers;
}

export function useTransfers(containerId: string): TransferControl {
  const { requester } = useDependencies();
  const transfers = useMemo(() => new Transfers(sendFor(requester, containerId)), [requester, containerId]);
  const all = useSyncExternalStore(transfers.subscribe, transfers.snapshot);
  const isBusy = all.some(({ state }) => state === 'waiting' || state === 'running');
  useEffect(() => () => transfers.stop(), [transfers]);
  useEffect(() => {
    if (!isBusy) return;
    // The browser asks whether the page may be left.
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [isBusy]);
  return { all, transfers };
}

/** The uploads of chosen files below a prefix, with the fault of each that can't be sent. */
export function uploadsOf({ files, hasMore }: Chosen, prefix: string): readonly Wish[] {
  const wishes = files.map(({ file, path }): Wish => {
    const name = prefix + path;
    const nameBytes = new TextEncoder().encode(name).length;
    const wish = { name, file, sizeBytes: file.size };
    if (file.size > mostUploadBytes)
      return {
        ...wish,
        fault: `It has ${formatBytes(file.size)}. One upload has at most ${formatBytes(mostUploadBytes)}: send it in parts with an S3 tool and an access key.`,
      };
    if (nameBytes > mostNameBytes)
      return { ...wish, fault: `Its name has ${nameBytes} bytes. A name has at most ${mostNameBytes}.` };
    return wish;
  });
  if (!hasMore) return wishes;
  const fault = `More than ${mostFiles} files were chosen. The first ${mostFiles} are sent: choose the others again, or use an S3 tool.`;
  return [...wishes, { name: 'the other files', sizeBytes: 0, fault }];
}

export function downloadOf({ name, sizeBytes }: Pick<Wish, 'name' | 'sizeBytes'>): Wish {
  if (sizeBytes <= mostDownloadBytes) return { name, sizeBytes };
  const fault = `It has ${formatBytes(sizeBytes)}. A download here has at most ${formatBytes(mostDownloadBytes)}: open a share link of it, or use an S3 tool.`;
  return { name, sizeBytes, fault };
}

function sendFor(requester: Requester, containerId: string): Send {
  return async ({ name, file, replaces }, { signal, onProgress }) => {
    if (file === undefined) {
      const { objectDownloadUrlCreate: signed } = await requester.request(ContainerDownloadUrlDocument, {
        input: { containerId, name },
      });
      const url = urlIn(signed);
      signal.throwIfAborted();
      save(await sendToCluster({ url, method: 'GET' }, { signal, onProgress }), name);
      return;
    }
    if (replaces !== true && (await isTaken(requester, containerId, name))) throw new NameTaken();
    const { objectUploadUrlCreate: signed } = await requester.request(ContainerUploadUrlDocument, {
      input: { containerId, name },
    });
    const url = urlIn(signed);
    signal.throwIfAborted();
    await sendToCluster({ url, method: 'PUT', file }, { signal, onProgress });
  };
}

async function isTaken(requester: Requester, id: string, name: string): Promise<boolean> {
  const { objectContainer } = await requester.request(ContainerNamedDocument, { id, name });
  return objectContainer?.objects?.nodes[0]?.name === name;
}

interface Signed {
  readonly objectUrl: { readonly url: string } | null;
  readonly userErrors: Parameters<typeof failuresOf>[0];
}

function urlIn(signed: Signed | null): string {
  const url = signed?.objectUrl?.url;
  if (url !== undefined) return url;
  const [failure] = failuresOf(signed?.userErrors ?? []);
  throw new Error(failure === undefined ? 'The server gave no URL.' : `${failure.message} ${failure.advice}`);
}

/** As a file of the person, under the last part of its name. */
function save(body: Blob, name: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(body);
  link.download = name.slice(name.lastIndexOf('/') + 1) || name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), revokeMs);
}

const revokeMs = 60_000;
