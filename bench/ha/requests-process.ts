// Clients of the small API, through the virtual address. Each writes a key and reads it. A request without an answer is repeated with its
// key, as docs/retries.md requires. Any answer other than 200 is a failure. Arguments: the port, the number of requests, of clients
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { virtualAddress } from '../../trials/ha/network.ts';

const [, , port = '', wanted = '', clients = ''] = process.argv;
const agent = new Agent({ keepAlive: true, maxSockets: Number(clients) });
const repeatMs = 50;
const giveUpMs = 20_000;
const answerMs = 10_000;
const mostTold = 5;
let [begun, done, failed, repeated, longestMs] = [0, 0, 0, 0, 0];
const why: string[] = [];

async function client(own: number): Promise<void> {
  for (let count = 0; begun < Number(wanted); count += 1) {
    const key = `r${own}-${count}`;
    for (const method of ['POST', 'GET']) {
      begun += 1;
      const sentMs = performance.now();
      const answer = await untilAnswered(method, key, sentMs);
      longestMs = Math.max(longestMs, performance.now() - sentMs);
      if (answer === '1') done += 1;
      else {
        failed += 1;
        if (why.length < mostTold) why.push(`${method} ${key}: ${answer}`);
      }
    }
  }
}

async function untilAnswered(method: string, key: string, sinceMs: number): Promise<string> {
  for (;;) {
    try {
      return await ask(method, key);
    } catch (error) {
      if (performance.now() - sinceMs > giveUpMs) return `no answer: ${String(error)}`;
      repeated += 1;
      await sleep(repeatMs);
    }
  }
}

/** Rejects if there is no answer. */
function ask(method: string, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: virtualAddress, port: Number(port), path: `/${key}`, method, agent });
    asked.setTimeout(answerMs, () => asked.destroy(new Error('no answer in time')));
    asked.once('error', reject).once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () => resolve(response.statusCode === 200 ? text : `${response.statusCode} ${text}`));
    });
    asked.end();
  });
}

await Promise.all(Array.from({ length: Number(clients) }, (_, own) => client(own)));
process.stdout.write(`${JSON.stringify({ requests: begun, done, failed, repeated, longestMs, why })}\n`);
process.exit(0);
