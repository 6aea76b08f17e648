// The first field with a fault gets the focus: after an answer, and when the form is sent with a fault.
import { type RefObject, useEffect, useRef } from 'react';
import type { PlacedRefusals } from './faults.ts';

interface FaultFocus {
  readonly form: RefObject<HTMLFormElement | null>;
  /** Once the faults are shown. */
  readonly focusSoon: () => void;
}

export function useFaultFocus({ atFields }: PlacedRefusals): FaultFocus {
  const form = useRef<HTMLFormElement>(null);
  const focus = (): void => form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus();
  // biome-ignore lint/correctness/useExhaustiveDependencies: once for each answer.
  useEffect(() => {
    if (atFields.length > 0) focus();
  }, [atFields]);
  return { form, focusSoon: () => void setTimeout(focus, 0) };
}
