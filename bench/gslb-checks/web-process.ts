// Listens on loopback addresses, and answers each HTTP request. A client that sends nothing gets no answer: a TCP check.
import { createServer } from 'node:net';
import { answerParent } from '../../measure/child.ts';

export interface WebQuestion {
  readonly hosts: readonly string[];
  readonly port: number;
}

const reply = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nalive';

answerParent(async ({ hosts, port }: WebQuestion) => {
  for (const host of hosts) {
    const server = createServer((socket) => {
      socket.on('error', () => undefined).once('data', () => socket.write(reply));
    });
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port, backlog: 4_096 }, resolve);
    });
  }
});
