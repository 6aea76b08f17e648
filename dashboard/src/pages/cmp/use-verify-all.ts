// Verifies all objects of backends one after the other, because a backend has a queue; a refusal does not end it. It ends when the object is
// left: whoever logs in next must not go on with it.
import { useEffect, useRef, useState } from 'react';
import { CmpVerifyDocument } from '../../../../generated/dashboard/graphql.ts';
import { useDependencies } from '../../context.ts';
import { failureOf } from '../../view/refusal.tsx';
import type { OwnMapping } from './reads.ts';

interface VerifyAll {
  /** Null while it is not running. */
  readonly progress: { readonly done: number; readonly of: number } | null;
  /** Of the last run, by name. */
  readonly refused: readonly string[];
  readonly verify: (mappings: readonly OwnMapping[]) => Promise<void>;
}

export function useVerifyAll(onDone: () => void): VerifyAll {
  const { requester } = useDependencies();
  const [progress, setProgress] = useState<VerifyAll['progress']>(null);
  const [refused, setRefused] = useState<readonly string[]>([]);
  const isLeft = useRef(false);
  useEffect(() => {
    isLeft.current = false;
    return () => {
      isLeft.current = true;
    };
  }, []);
  const verify = async (mappings: readonly OwnMapping[]): Promise<void> => {
    setRefused([]);
    for (const [done, { id, objectKey }] of mappings.entries()) {
      if (isLeft.current) return;
      setProgress({ done, of: mappings.length });
      const message = await requester.request(CmpVerifyDocument, { input: { id } }).then(
        ({ mappingVerify }) => mappingVerify.userErrors[0]?.message,
        (error: unknown) => failureOf(error).message,
      );
      if (message !== undefined) setRefused((before) => [...before, `${objectKey}: ${message}`]);
    }
    setProgress(null);
    onDone();
  };
  return { progress, refused, verify };
}
