// The one product that the files of this folder share (tests/support/product/product-process.ts), as its users see it. Each file creates its
// own objects, finds them by its own names, and repairs what it breaks.
// needs: product, nftables, iproute2, openssh-server, openssh-client, openssl, haproxy, keepalived, pdns-server, pdns-backend-sqlite3, nginx-light, bind9-dnsutils, hey, fping, procps, root
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect } from '@jest/globals';
import { ask, startProgram, tokenOf } from '../../bin/support/up-process.ts';
import { labUnavailable } from '../../support/machine/lab.ts';
import { patience } from '../../support/machine/patience.ts';
import { waitFor } from '../../support/machine/temporary-folder.ts';
import { dataOf, logOf, productVariable, readyLine } from '../../support/product/product-process.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, '..', '..', '..', 'bin', 'tidegate.ts');

type Part = 'firewall' | 'fortigate' | 'balancers' | 'sites' | 'clusters';

interface Done {
  readonly userErrors: readonly { readonly code: string; readonly message: string }[];
}

export interface Product {
  /** The URL without a path. */
  readonly url: string;
  readonly data: string;
  /** The API token of an operator of the project `default`. */
  readonly token: string;
  readonly password: string;
  ask<Data>(query: string, variables?: object): Promise<Data>;
  /** Runs a mutation as an operator. Fails unless it succeeds. */
  change<Payload>(mutation: string, input: object, fields: string): Promise<Payload>;
  /** Runs the command line. Fails unless it exits with 0. */
  tidegate(...words: readonly string[]): Promise<string>;
  /** Runs the command line as the administrator. */
  administer(...words: readonly string[]): Promise<string>;
  /** Starts the command line without waiting for its end. */
  start(...words: readonly string[]): ReturnType<typeof startProgram>;
  /** Runs `tidegate lab`. */
  lab(...words: readonly string[]): Promise<string>;
  /** The shell variables of a part of the lab. Waits until the part runs. */
  part(name: Part): Promise<Readonly<Record<string, string>>>;
}

/** A describe block that is skipped if the lab can't run, with the reason in its name. */
export function describeWithProduct(name: string, body: () => void): void {
  const obstacle = labUnavailable();
  if (obstacle === undefined) describe(name, body);
  else describe.skip(`${name} (skipped: ${obstacle})`, body);
}

export async function runningProduct(): Promise<Product> {
  const folder = process.env[productVariable];
  if (folder === undefined) throw new Error('There is no product: run the tests with "npm test".');
  const log = await readFile(logOf(folder), 'utf8');
  const url = /GraphQL\s+(http:\S+)\/graphql/.exec(log)?.[1];
  if (url === undefined || !log.includes(readyLine)) throw new Error(`The product did not get ready:\n${log}`);
  const data = dataOf(folder);
  const token = await tokenOf(data);
  const isOfLab = (words: readonly string[]) => words[0] === 'lab';
  /** Adds the options that select the product. Words after `--` belong to another program. */
  const placed = (words: readonly string[]): readonly string[] => {
    const end = words.includes('--') ? words.indexOf('--') : words.length;
    const place = ['--data', data, ...(isOfLab(words) ? [] : ['--url', `${url}/graphql`])];
    return [...words.slice(0, end), ...place, ...words.slice(end)];
  };
  const administrator = ['--user', 'admin', '--password-file', join(data, 'admin.password')];
  const product: Product = {
    ...{ url, data, token },
    password: (await readFile(join(data, 'admin.password'), 'utf8')).trim(),
    ask: (query, variables) => ask(url, token, query, variables),
    async change<Payload>(mutation: string, input: object, fields: string) {
      const query = `mutation ($input: ${inputType(mutation)}!) { done: ${mutation}(input: $input) { ${fields} userErrors { code message } } }`;
      const { done } = await product.ask<{ done: Payload & Done }>(query, { input });
      expect([mutation, done.userErrors]).toEqual([mutation, []]);
      return done;
    },
    tidegate: (...words) => tidegate(placed(words)),
    administer: (...words) => tidegate(placed([...words, ...administrator])),
    start: (...words) => startProgram(placed(words)),
    lab: (...words) => tidegate(placed(['lab', ...words])),
    async part(name) {
      const rows = () =>
        product.lab('list', '--json').then((text) => JSON.parse(text) as { part: Part; state: string }[]);
      await waitFor(`the part ${name} to run`, async () =>
        (await rows()).some(({ part, state }) => part === name && state === 'RUNNING'),
      );
      const file = name === 'firewall' ? 'lab' : name;
      return name === 'fortigate' ? {} : variablesIn(await readFile(join(data, `${file}.env`), 'utf8'));
    },
  };
  return product;
}

function inputType(mutation: string): string {
  return `${mutation.charAt(0).toUpperCase()}${mutation.slice(1)}Input`;
}

async function tidegate(words: readonly string[]): Promise<string> {
  return (await run(process.execPath, [program, ...words], { timeout: 60_000 * patience })).stdout;
}

function variablesIn(text: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    text
      .trim()
      .split('\n')
      .map((line) => line.split(/=(.*)/s)),
  );
}
