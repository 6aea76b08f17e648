// Sends a mutation with an idempotency key that stays the same while the input does: a retry never acts twice.
import { useMemo, useRef, useState } from 'react';
import type { RefusalFragment } from '../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../context.ts';
import type { GraphqlDocument } from '../graph/request.ts';
import { type Failure, failureOf, failuresOf } from './refusal.tsx';

export interface MutationControl<Input, Payload> {
  readonly isBusy: boolean;
  readonly failures: readonly Failure[];
  /** The refusals in the last answer. */
  readonly refusals: readonly RefusalFragment[];
  /** The payload of a successful mutation; undefined when it was refused or had no answer. */
  readonly send: (input: Omit<Input, 'idempotencyKey'>) => Promise<Payload | undefined>;
}

/** `document` has one root field, and `$input` with an idempotency key. */
export function useMutation<Input extends object, Payload extends { readonly userErrors: readonly RefusalFragment[] }>(
  document: GraphqlDocument<Readonly<Record<string, Payload>>, { readonly input: Input }>,
): MutationControl<Input, Payload> {
  const { requester } = useDependencies();
  const [isBusy, setBusy] = useState(false);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const [refusals, setRefusals] = useState<readonly RefusalFragment[]>([]);
  const sent = useRef({ input: '', key: '' });

  const send = async (input: Omit<Input, 'idempotencyKey'>): Promise<Payload | undefined> => {
    const text = JSON.stringify(input);
    if (sent.current.input !== text) sent.current = { input: text, key: newKey() };
    setBusy(true);
    setFailures([]);
    setRefusals([]);
    try {
      const data = await requester.request(document, {
        input: { ...input, idempotencyKey: sent.current.key } as Input,
      });
      const payload = Object.values(data)[0];
      const errors = payload?.userErrors ?? [];
      // A refused key is used up unless the server allows the same one again.
      if (errors.some((error) => !error.retry.startsWith('SAME_KEY'))) sent.current = { input: '', key: '' };
      setFailures(failuresOf(errors));
      setRefusals(errors);
      if (errors.length > 0) return undefined;
      sent.current = { input: '', key: '' };
      return payload;
    } catch (error) {
      setFailures([failureOf(error)]);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { isBusy, failures, refusals, send };
}

/** The key of the texts that show an input: another one for another input, because the server refuses a key that it knows with another one. */
export function useShownKey(input: object): string {
  const text = JSON.stringify(input);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another input is the reason for another key.
  return useMemo(newKey, [text]);
}

/** 128 random bits; `crypto.randomUUID` exists only in secure contexts. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `dashboard-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
