// A text that is being typed, once the typing has paused: so that not every letter is a request.
import { useEffect, useState } from 'react';

const pauseMs = 250;

export function useSettled(typed: string): string {
  const [settled, setSettled] = useState(typed);
  useEffect(() => {
    if (typed === settled) return;
    const timer = setTimeout(() => setSettled(typed), pauseMs);
    return () => clearTimeout(timer);
  }, [typed, settled]);
  return settled;
}
