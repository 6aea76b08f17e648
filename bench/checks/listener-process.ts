// Listens on loopback addresses. Stopped by SIGSTOP with a full queue of one, it swallows everything sent to it: a silent target.
import { createServer } from 'node:net';
import { answerParent } from '../../measure/child.ts';

export interface ListenQuestion {
  readonly hosts?: readonly string[];
  readonly port?: number;
  readonly backlog?: number;
}

answerParent(async ({ hosts = [], port = 0, backlog = 4096 }: ListenQuestion) => {
  for (const host of hosts) {
    const server = createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => undefined).resume();
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog }, resolve);
    });
  }
});
