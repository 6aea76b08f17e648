// A machine's requests to the public endpoint, with its token: revocations, and new credentials.
import { Agent, request } from 'undici';
import { z } from 'zod';
import { Origins } from '../net/origins.ts';
import { decodeUuid } from '../values/ids.ts';
import { jsonIn } from '../values/json.ts';
import type { MachineFile } from './machine-file.ts';
import type { MachineKeys } from './machine-keys.ts';

const deadlineMs = 2_500;
const maxAnswerBytes = 1024 * 1024;

const revocations = z.object({ data: z.object({ machineRevocations: z.array(z.string()) }) });
const renewed = z.object({
  data: z.object({
    machineRenew: z.object({
      certificate: z.string().nullable(),
      authority: z.string().nullable(),
      token: z.string().nullable(),
      expiresAt: z.iso.datetime().nullable(),
      userErrors: z.array(z.object({ message: z.string() })),
    }),
  }),
});

type Renewed = Pick<MachineFile, 'certificate' | 'authority' | 'token' | 'expiresAt'>;

export class MachineEndpoint {
  readonly #token: string;
  readonly #places: Origins<string>;
  readonly #agent: Agent;

  /** `urls` replace the URL where the machine joined. One URL is used until it fails. The next request then uses the next URL. */
  constructor({ endpoint, endpointCa, token }: MachineFile, urls: readonly string[] = []) {
    this.#token = token;
    const [first = endpoint, ...others] = urls;
    this.#places = new Origins([first, ...others]);
    const connect = { timeout: deadlineMs, ...(endpointCa === undefined ? {} : { ca: endpointCa }) };
    this.#agent = new Agent({ connections: 1, maxResponseSize: maxAnswerBytes, connect });
  }

  /** UUIDs. Rejects when the endpoint does not answer, or refuses this machine. */
  async revocations(): Promise<ReadonlySet<string>> {
    const { data } = await this.#ask(revocations, '{ machineRevocations }');
    return new Set(data.machineRevocations.map((id) => decodeUuid('Machine', id) ?? ''));
  }

  /** Rejects when the endpoint does not answer, or refuses. */
  async renew({ publicKey }: Pick<MachineKeys, 'publicKey'>): Promise<Renewed> {
    const { data } = await this.#ask(
      renewed,
      'mutation ($publicKey: String!) { machineRenew(input: { publicKey: $publicKey }) { certificate authority token expiresAt userErrors { message } } }',
      { publicKey },
    );
    const { certificate, authority, token, expiresAt, userErrors } = data.machineRenew;
    if (certificate === null || authority === null || token === null || expiresAt === null)
      throw new Error(userErrors.map(({ message }) => message).join('; '));
    return { certificate, authority, token, expiresAt };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #ask<Shape extends z.ZodType>(shape: Shape, query: string, variables = {}): Promise<z.output<Shape>> {
    const place = this.#places.current;
    try {
      const response = await request(place, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${this.#token}` },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(deadlineMs),
      });
      const text = await response.body.text();
      const answer = shape.safeParse(jsonIn(text));
      if (!answer.success) throw new Error(`${place} answered HTTP ${response.statusCode}: ${text.slice(0, 200)}`);
      return answer.data;
    } catch (error) {
      this.#places.leave(place);
      throw error;
    }
  }
}
