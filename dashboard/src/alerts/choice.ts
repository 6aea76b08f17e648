// Whether this browser shows alerts: a choice for all of its tabs.
import { storedChoice } from '../view/stored-choice.ts';

const choice = storedChoice('tidegate.browser-alerts');

/** A permission that was taken back in the browser's settings switches it off, too. */
export function useBrowserAlerts(): boolean {
  return choice.use((stored) => stored === 'on' && 'Notification' in window && Notification.permission === 'granted');
}

export function chooseBrowserAlerts(isOn: boolean): void {
  choice.choose(isOn ? 'on' : null);
}
