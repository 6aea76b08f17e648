// The settings that a version's way back fills in. They are changed and sent like any other change.
import { useEffect, useState } from 'react';
import { FormRestoreDocument, type FormRestoreQuery } from '../../../../generated/dashboard/graphql.ts';
import { isObject, type JsonObject, type JsonValue } from '../../../../platform/values/json.ts';
import { useDependencies } from '../../context.ts';
import { type Failure, failureOf } from '../../view/refusal.tsx';
import { type Draft, type DraftObject, draftOf } from '../draft.ts';
import type { WayBack } from '../links.ts';

export interface Proposal {
  /** When the change was made. */
  readonly changedAt: string;
  /** The input of the mutation. Null if there is no way back. */
  readonly input: JsonObject | null;
  /** Fields with secrets, which no history has. */
  readonly missing: readonly string[];
  readonly refusal: string | null;
}

interface ProposalReading {
  /** Undefined until it is read. */
  readonly proposal: Proposal | undefined;
  readonly failure: Failure | null;
}

/** `version`: undefined if nothing is asked for. `mutation`: the one that the form sends. */
export function useProposal(version: WayBack | undefined, mutation: string): ProposalReading {
  const { requester } = useDependencies();
  const [reading, setReading] = useState<ProposalReading>({ proposal: undefined, failure: null });
  useEffect(() => {
    if (version === undefined) return;
    let isOver = false;
    requester
      .request(FormRestoreDocument, { id: version.id })
      .then(({ configurationVersion: found }) => {
        if (isOver) return;
        setReading({ proposal: proposalOf(found, version, mutation), failure: null });
      })
      .catch((error: unknown) => {
        if (!isOver) setReading({ proposal: undefined, failure: failureOf(error) });
      });
    return () => {
      isOver = true;
    };
  }, [requester, version, mutation]);
  return reading;
}

function proposalOf(
  found: FormRestoreQuery['configurationVersion'],
  { way: name }: WayBack,
  mutation: string,
): Proposal {
  const way = name === 'before' ? found?.previous?.restore : found?.[name];
  const { changedAt = '' } = found ?? {};
  if (way === undefined) return { changedAt, input: null, missing: [], refusal: 'The change is no longer kept.' };
  const isOurs = way.mutation === mutation && isObject(way.input as JsonValue);
  const refusal = isOurs ? null : (way.refusal ?? 'This form can’t take that change back: use the command line.');
  const input = isOurs ? (way.input as JsonObject) : null;
  return { changedAt, input, missing: way.missingFields, refusal };
}

/** The draft with the proposed values. Fields that the proposal clears become empty. */
export function withProposal(input: string, draft: DraftObject, proposed: JsonObject): DraftObject {
  const { id: _, expectedVersion: __, ...values } = proposed;
  const made = draftOf(input, values as JsonObject);
  const members = Object.keys(values).map((name): [string, Draft | undefined] => [name, made[name]]);
  return { ...draft, ...Object.fromEntries(members) };
}
