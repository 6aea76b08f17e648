// The process of the lab's devices that need no root (remote-lab.ts). Its argument is the data folder, descriptor 3 the pipe.

import { Socket } from 'node:net';
import { devices } from './devices.ts';
import { LabServer } from './lab-server.ts';
import { LabHere } from './lab-source.ts';

const ending = new AbortController();
const pipe = new Socket({ fd: 3, readable: true, writable: true });
const server = new LabServer(
  pipe,
  new LabHere(process.argv[2] ?? '', ending.signal),
  (name) => !devices[name].needsRoot,
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => pipe.destroy());
pipe.on('close', () => {
  ending.abort();
  void server.end().finally(() => process.exit());
});
