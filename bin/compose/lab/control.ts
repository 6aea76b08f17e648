// The lab's control socket: a Unix socket in the data folder, so that who may use it is decided by the folder's owner and mode
// (decision 0040). One request a connection, one line of JSON each way.
import { once } from 'node:events';
import { chmod, rm, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import type { DataFolder } from '../../../embedded/data-folder.ts';
import { plainLabFolder } from '../../../lab/folders.ts';
import { hostActs, isHostName, partNames, troubles } from '../../../lab/part.ts';
import { type HostRow, type Lab, LabRefusal, type PartRow } from './lab.ts';

const part = z.enum(partNames);
const request = z.discriminatedUnion('do', [
  z.object({ do: z.literal('list') }),
  z.object({ do: z.literal('add'), part }),
  z.object({ do: z.literal('remove'), part, orphanMappings: z.boolean() }),
  z.object({ do: z.enum(hostActs), host: z.string().refine(isHostName) }),
  z.object({ do: z.literal('trouble'), part, trouble: z.enum(troubles) }),
]);
export type LabRequest = z.infer<typeof request>;
/** All of them, after the request. */
export type LabReply =
  | { readonly parts: readonly PartRow[]; readonly hosts: readonly HostRow[] }
  | { readonly refused: string };

/** In the lab's folder: the path of the socket, which is elsewhere where the folder's own is too long. */
export const controlFile = join(plainLabFolder, 'control');

const longestRequest = 1_024;
const mostConnections = 16;
const requestMs = 5_000;

export async function openControl(folder: DataFolder, lab: Lab): Promise<{ stop(): Promise<void> }> {
  const path = folder.socketPath('lab.sock');
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    serve(socket, lab);
  });
  server.maxConnections = mostConnections;
  await rm(path, { force: true });
  server.listen(path);
  await once(server, 'listening');
  await chmod(path, 0o600);
  await folder.subfolder(plainLabFolder);
  await writeFile(join(folder.path, controlFile), `${path}\n`, { mode: 0o600 });
  return {
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function serve(socket: Socket, lab: Lab): void {
  let heard = '';
  socket.setTimeout(requestMs, () => socket.destroy());
  socket.on('data', (data: Buffer) => {
    heard += data.toString();
    const end = heard.indexOf('\n');
    if (end < 0) return void (heard.length > longestRequest && socket.destroy());
    socket.removeAllListeners('data');
    // A part's first start may take minutes.
    socket.setTimeout(0);
    void answer(heard.slice(0, end), lab).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
  });
}

async function answer(line: string, lab: Lab): Promise<LabReply> {
  try {
    const asked = request.parse(JSON.parse(line));
    if (asked.do === 'add') await lab.add(asked.part);
    if (asked.do === 'remove') await lab.remove(asked.part, asked.orphanMappings);
    if (asked.do === 'trouble') await lab.trouble(asked.part, asked.trouble);
    if ('host' in asked) await lab.act(asked.do, asked.host);
    return { parts: lab.list(), hosts: lab.hosts() };
  } catch (error) {
    if (error instanceof LabRefusal) return { refused: error.message };
    return { refused: `the lab failed: ${error instanceof Error ? error.message : String(error)}` };
  }
}
