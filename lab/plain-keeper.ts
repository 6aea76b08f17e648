// The process of the lab's devices that need no root (kept-lab.ts). Its argument is the data folder, descriptor 3 the pipe.

import { Socket } from 'node:net';
import { devices } from './devices.ts';
import { LabKeeper } from './keeper.ts';
import { LabHere } from './lab-source.ts';

const ending = new AbortController();
const pipe = new Socket({ fd: 3, readable: true, writable: true });
const keeper = new LabKeeper(
  pipe,
  new LabHere(process.argv[2] ?? '', ending.signal),
  (name) => !devices[name].needsRoot,
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => pipe.destroy());
pipe.on('close', () => {
  ending.abort();
  void keeper.end().finally(() => process.exit());
});
