// Checks the input of alert channels, and splits it into a visible and a sealed part.
import { randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import type {
  AlertChannelKind,
  AlertChannelTargetInput,
  AlertMailInput,
  AlertQuietTimeInput,
} from '../../../../generated/graph/system.ts';
import { type InputCheck, isHost } from '../../../../platform/input/input.ts';
import type { EgressPolicy } from '../../../../platform/net/egress.ts';
import { isTimeZone, type QuietHours, timeOfDay } from '../../rules/alerts/quiet-hours.ts';
import { isWebhookSecret } from '../../rules/alerts/webhook-signature.ts';
import type { ChannelPlace, ChannelSecret, ChannelSpec } from '../stores/alert-channel.ts';

interface CheckedTarget extends Pick<ChannelSpec, 'place' | 'userName' | 'sender' | 'recipients'> {
  readonly kind: AlertChannelKind;
  readonly secret: ChannelSecret;
  /** The signing secret, if it was generated here. It is shown once. */
  readonly made: string | null;
}

const mostQuietTimes = 7;
const longestUrl = 2_048;
const mostRecipients = 20;
const longestGroupMs = 3_600_000;
/** Size as JSON in UTF-8. The column contains other settings too. */
const mostPemBytes = 49_152;
/** The forms that every mail server accepts: a local part without quotes, and a host name. */
const mailAddress = /^[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const none = { userName: null, sender: null, recipients: [] };

/** Refuses EGRESS_DENIED for an address that may not be dialled. Names are checked when they are dialled. */
export function checkTarget(
  check: InputCheck,
  target: AlertChannelTargetInput,
  { caCertificates, egress }: { readonly caCertificates: string | null; readonly egress: EgressPolicy },
): CheckedTarget {
  if (caCertificates !== null) checkAuthorities(check, caCertificates);
  const checked = targetOf(check, target, caCertificates);
  const { host, port } = checked.place;
  const denial = isIP(host) === 0 ? undefined : egress.denial(host, port);
  if (denial !== undefined) check.fault(fieldOf(checked.kind), denial.reason, 'EGRESS_DENIED');
  return checked;
}

function targetOf(
  check: InputCheck,
  { webhook, slack, mail }: AlertChannelTargetInput,
  caCertificates: string | null,
): CheckedTarget {
  if (mail != null) return mailOf(check, mail, caCertificates);
  const kind = webhook == null ? 'SLACK' : 'WEBHOOK';
  const { place, path } = urlOf(check, fieldOf(kind), webhook?.url ?? slack?.url ?? '', caCertificates);
  if (webhook == null) return { ...none, kind, place, secret: { path }, made: null };
  if (webhook.secret != null && !isWebhookSecret(webhook.secret))
    check.fault('target.webhook.secret', 'secret is not whsec_ and 24 to 64 bytes in base64; give such a one, or none');
  const made = webhook.secret == null ? `whsec_${randomBytes(32).toString('base64')}` : null;
  return { ...none, kind, place, secret: { path, signing: webhook.secret ?? made ?? '' }, made };
}

function mailOf(check: InputCheck, mail: AlertMailInput, caCertificates: string | null): CheckedTarget {
  const { host, port = 587, security = 'STARTTLS', userName = null, password = null, sender, recipients } = mail;
  check.host('target.mail.host', host);
  check.port('target.mail.port', port);
  check.text('target.mail.userName', userName, { min: 1, max: 255 });
  check.text('target.mail.password', password, { min: 1, max: 255 });
  if (password !== null && userName === null)
    check.fault('target.mail.userName', 'userName is missing: the password needs one');
  const rule = { required: true, max: 254, pattern: mailAddress, wants: 'a mail address such as ops@example.com' };
  check.text('target.mail.sender', sender, rule);
  check.count('target.mail.recipients', recipients, { min: 1, max: mostRecipients });
  for (const [at, each] of recipients.slice(0, mostRecipients).entries())
    check.text(`target.mail.recipients.${at}`, each, rule);
  const place: ChannelPlace = { host, port, caCertificates, mailSecurity: security };
  const secret: ChannelSecret = password === null ? {} : { password };
  return { kind: 'MAIL', place, userName, sender, recipients, secret, made: null };
}

/** An unreadable URL is a fault whose message does not contain the URL, because it may contain a secret. */
function urlOf(check: InputCheck, field: string, text: string, caCertificates: string | null) {
  const url = text.length <= longestUrl && URL.canParse(text) ? new URL(text) : undefined;
  const host = url?.hostname.replace(/^\[(.*)\]$/, '$1') ?? '';
  const isPublic = url?.protocol === 'https:' && url.username === '' && url.password === '';
  // Letters beyond ASCII take more space in the form in which the URL is sent and stored.
  const isUsable = isPublic && url.href.length <= longestUrl && isHost(host);
  if (!isUsable)
    check.fault(
      field,
      `url is not an https URL without user name and password, of at most ${longestUrl} characters when encoded`,
    );
  const place: ChannelPlace = { host, port: Number(url?.port || 443), caCertificates, mailSecurity: null };
  return { place, path: `${url?.pathname ?? '/'}${url?.search ?? ''}` };
}

function fieldOf(kind: AlertChannelKind): string {
  if (kind === 'MAIL') return 'target.mail.host';
  return kind === 'SLACK' ? 'target.slack.url' : 'target.webhook.url';
}

function checkAuthorities(check: InputCheck, pem: string): void {
  check.text('caCertificates', pem, { max: mostPemBytes, multiline: true });
  const bytes = Buffer.byteLength(JSON.stringify(pem));
  if (pem.length <= mostPemBytes && bytes > mostPemBytes)
    check.fault('caCertificates', `caCertificates has ${bytes} bytes; at most ${mostPemBytes} are allowed`, 'TOO_LONG');
  const one = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
  if (pem.match(one) === null || pem.replaceAll(one, '').trim() !== '')
    check.fault('caCertificates', 'caCertificates is not a list of certificates in PEM');
}

interface TimesInput {
  readonly quietTimes?: readonly AlertQuietTimeInput[] | null;
  readonly timeZone?: string | null;
  readonly groupMs?: number | null;
}

export function checkTimes(check: InputCheck, { quietTimes, timeZone, groupMs }: TimesInput): void {
  check.integer('groupMs', groupMs, { min: 0, max: longestGroupMs });
  if (timeZone != null && (timeZone.length > 63 || !isTimeZone(timeZone)))
    check.fault('timeZone', 'timeZone is not a time zone of the IANA; give one such as Europe/Berlin');
  if (quietTimes == null) return;
  check.count('quietTimes', quietTimes, { max: mostQuietTimes });
  for (const [at, { days, startTime, endTime }] of quietTimes.slice(0, mostQuietTimes).entries()) {
    check.count(`quietTimes.${at}.days`, days, { min: 1, max: 7 });
    const rule = { required: true, pattern: timeOfDay, wants: 'a time of the day such as 22:00' };
    check.text(`quietTimes.${at}.startTime`, startTime, rule);
    check.text(`quietTimes.${at}.endTime`, endTime, rule);
  }
}

export function quietHoursOf(given: readonly AlertQuietTimeInput[]): readonly QuietHours[] {
  return given.map(({ days, startTime, endTime }) => ({ days: [...new Set(days)], from: startTime, until: endTime }));
}
