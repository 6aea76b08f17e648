// Asks for the fingerprint that a device shows at an address.
import { useState } from 'react';
import { RegisterProofDocument, type RegisterProofQuery } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { type Failure, failureOf, failuresOf } from '../../view/refusal.tsx';
import type { Place } from './place.ts';

type Read = RegisterProofQuery['backendProofRead'];
export type Proof = Read & { readonly presented: NonNullable<Read['presented']> };

export function useProof(onShown: (place: Place, proof: Proof) => void) {
  const { requester } = useDependencies();
  const [isBusy, setBusy] = useState(false);
  const [failures, setFailures] = useState<readonly Failure[]>([]);
  const read = async (place: Place): Promise<void> => {
    setBusy(true);
    setFailures([]);
    try {
      const { backendProofRead: found } = await requester.request(RegisterProofDocument, { input: place });
      const { presented, deviceError, userErrors } = found;
      if (presented !== null) onShown(place, { ...found, presented });
      setFailures([
        ...failuresOf(userErrors),
        ...(deviceError === null ? [] : [{ ...deviceError, advice: 'Nothing was registered.' }]),
      ]);
    } catch (error) {
      setFailures([failureOf(error)]);
    } finally {
      setBusy(false);
    }
  };
  return { read, isBusy, failures };
}
