// The switch for alerts in this browser. Permission is asked for when it is switched on, and never by itself.
import { useState } from 'react';
import { chooseBrowserAlerts, useBrowserAlerts } from '../../alerts/choice.ts';

export function BrowserSwitch() {
  const isOn = useBrowserAlerts();
  const [refused, setRefused] = useState<string | null>(null);
  const canTell = 'Notification' in window && window.isSecureContext;
  const change = async (wanted: boolean): Promise<void> => {
    setRefused(null);
    if (wanted && (await Notification.requestPermission()) !== 'granted') {
      setRefused('The browser blocks notifications from this page. Allow them in the site settings.');
      return;
    }
    chooseBrowserAlerts(wanted);
  };
  return (
    <section className="strip browser-alerts" aria-label="Alerts in this browser">
      <label className="choice">
        <input
          type="checkbox"
          checked={isOn}
          disabled={!canTell}
          onChange={({ target }) => void change(target.checked)}
        />
        <b>Tell me in this browser</b>
      </label>
      <span className="dim">
        {canTell
          ? 'Shows each new alert once while a Tidegate tab is open, even in quiet times. For alerts without an open tab, use a channel.'
          : 'Browsers show notifications only for pages loaded over HTTPS or from a loopback address.'}
      </span>
      {refused !== null && (
        <span className="failures" role="alert">
          {refused}
        </span>
      )}
    </section>
  );
}
