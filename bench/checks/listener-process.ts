// Listens on loopback addresses and counts the connections it accepts. Stopped by SIGSTOP with its queue of one full, it
// swallows what is sent to it: a silent target.
import { createServer } from 'node:net';
import { answerParent } from '../support/child.ts';

/** Answered with the connections accepted so far. */
export interface ListenQuestion {
  readonly hosts?: readonly string[];
  readonly port?: number;
  readonly backlog?: number;
}

let accepted = 0;

answerParent(async ({ hosts = [], port = 0, backlog = 4096 }: ListenQuestion) => {
  for (const host of hosts) {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      accepted += 1;
      socket.on('error', () => undefined).resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog }, resolve);
    });
  }
  return accepted;
});
