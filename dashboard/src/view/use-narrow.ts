// Whether the page is as narrow as a phone: the header then keeps its links and its less used controls in its menu.
import { useSyncExternalStore } from 'react';

const query = '(max-width: 559px)';

function subscribe(listener: () => void): () => void {
  const media = window.matchMedia(query);
  media.addEventListener('change', listener);
  return () => media.removeEventListener('change', listener);
}

export function useNarrow(): boolean {
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}
