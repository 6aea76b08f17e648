// A choice that is kept in this browser, for all of its tabs.
import { useSyncExternalStore } from 'react';

interface StoredChoice {
  /** The stored text. Null by default. `read` may limit it further. */
  use<Value>(read: (stored: string | null) => Value): Value;
  /** Null returns to the default. */
  choose(value: string | null): void;
}

export function storedChoice(key: string): StoredChoice {
  const changed = new EventTarget();
  const subscribe = (listener: () => void) => {
    changed.addEventListener('change', listener);
    window.addEventListener('storage', listener);
    return () => {
      changed.removeEventListener('change', listener);
      window.removeEventListener('storage', listener);
    };
  };
  return {
    use: (read) => useSyncExternalStore(subscribe, () => read(window.localStorage.getItem(key))),
    choose(value) {
      if (value === null) window.localStorage.removeItem(key);
      else window.localStorage.setItem(key, value);
      changed.dispatchEvent(new Event('change'));
    },
  };
}
