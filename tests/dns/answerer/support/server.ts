// A running name server on a free loopback port, asked with dig(1) and delv(1).
// needs: bind9-dnsutils
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Answerer, type AnswererOptions } from '../../../../dns/answerer/answerer.ts';
import type { ZonePlan } from '../../../../dns/policy/plan.ts';
import { runProgram } from '../../../../embedded/run-program.ts';
import { temporaryFolder } from '../../../support/machine/temporary-folder.ts';

export interface TestServer {
  readonly answerer: Answerer;
  readonly port: number;
  /** Everything that it wrote. */
  dig(...words: readonly string[]): Promise<string>;
  /** Uses the zone's keys as trust anchors. */
  delv(...words: readonly string[]): Promise<string>;
  close(): Promise<void>;
}

export async function testServer(plan: ZonePlan, options: Partial<AnswererOptions> = {}): Promise<TestServer> {
  const folder = await temporaryFolder();
  const failed = (what: string, error?: unknown) => {
    throw new Error(what, { cause: error });
  };
  const listen = [{ address: '127.0.0.1', port: 0 }];
  const answerer = await Answerer.start({ listen, name: 'ns-a', draw: () => 0, failed, ...options });
  answerer.put(plan);
  const [port = 0] = answerer.ports;
  const run = async (program: string, words: readonly string[]) => {
    const { stdout, stderr } = await runProgram(program, ['@127.0.0.1', '-p', String(port), ...words]);
    return `${stdout}${stderr}`;
  };
  const anchors = join(folder.path, 'anchors');
  return {
    ...{ answerer, port },
    dig: (...words) => run('dig', ['+norecurse', '+time=5', '+tries=2', ...words]),
    async delv(...words) {
      const now = answerer.plan(plan.zone)?.keys ?? [];
      const lines = now.map(({ flags, publicKey }) => `"${plan.zone}" static-key ${flags} 3 13 "${publicKey}";`);
      await writeFile(anchors, `trust-anchors {\n${lines.join('\n')}\n};\n`);
      return run('delv', ['-a', anchors, `+root=${plan.zone}`, ...words]);
    },
    async close() {
      await answerer.close();
      await folder.remove();
    },
  };
}
