// Sends one HTTP request to a node of a load balancer, on its own connection. Rejects if there is no answer in time.
import { get } from 'node:http';

interface NodeAnswer {
  readonly status: number | undefined;
  readonly text: string;
}

export function answerOf(host: string, port: number, timeoutMs: number): Promise<NodeAnswer> {
  return new Promise((resolve, reject) => {
    const request = get({ host, port, agent: false, timeout: timeoutMs }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, text })).on('error', reject);
    });
    request.on('timeout', () => request.destroy(new Error('no answer'))).on('error', reject);
  });
}
