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
      setRefused('The browser does not allow notifications of this page: allow them in its settings of the page.');
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
          ? 'Each new alert once, as long as a tab of Tidegate is open here, also in quiet times. With no tab open, nothing is told: channels do that.'
          : 'This browser shows notifications only for pages that it reached by HTTPS or at a loopback address.'}
      </span>
      {refused !== null && (
        <span className="failures" role="alert">
          {refused}
        </span>
      )}
    </section>
  );
}
