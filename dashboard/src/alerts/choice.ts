// Whether this browser shows alerts: a choice for all of its tabs.
import { useSyncExternalStore } from 'react';

const storageKey = 'tidegate.browser-alerts';
const changed = new EventTarget();

function subscribe(listener: () => void): () => void {
  changed.addEventListener('change', listener);
  window.addEventListener('storage', listener);
  return () => {
    changed.removeEventListener('change', listener);
    window.removeEventListener('storage', listener);
  };
}

/** A permission that was taken back in the browser's settings switches it off, too. */
function isChosen(): boolean {
  return (
    window.localStorage.getItem(storageKey) === 'on' &&
    'Notification' in window &&
    Notification.permission === 'granted'
  );
}

export function useBrowserAlerts(): boolean {
  return useSyncExternalStore(subscribe, isChosen);
}

export function chooseBrowserAlerts(isOn: boolean): void {
  if (isOn) window.localStorage.setItem(storageKey, 'on');
  else window.localStorage.removeItem(storageKey);
  changed.dispatchEvent(new Event('change'));
}
