// Listens on loopback addresses. When SIGSTOP stops it with a full queue of one, it becomes a silent target that swallows everything sent to it.
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
