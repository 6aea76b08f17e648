// An alert channel as stored. Everything that may give access, including the path of a URL, is in its sealed secret.
import type { AlertChannelKind, AlertMailSecurity } from '../../../../generated/graph/system.ts';
import type { Sealed } from '../../../../platform/secrets/seal.ts';
import type { QuietHours } from '../../rules/alerts/quiet-hours.ts';

/** The destination of its connections. Its secret is sealed for exactly this place. */
export interface ChannelPlace {
  readonly host: string;
  readonly port: number;
  /** PEM. Null for public authorities. */
  readonly caCertificates: string | null;
  /** Null for HTTPS. */
  readonly mailSecurity: AlertMailSecurity | null;
}

export interface ChannelSpec {
  readonly place: ChannelPlace;
  readonly userName: string | null;
  readonly sender: string | null;
  readonly recipients: readonly string[];
  readonly quietHours: readonly QuietHours[];
  readonly timeZone: string;
  readonly groupMs: number;
}

export interface ChannelSecret {
  /** Path of the URL, with its query. */
  readonly path?: string;
  /** Signs the requests of a webhook. */
  readonly signing?: string;
  /** Password of the user at a mail server. */
  readonly password?: string;
}

export interface AlertChannel {
  /** UUID. */
  readonly id: string;
  readonly version: number;
  /** UUID. Null if rules of the installation use it. */
  readonly projectId: string | null;
  readonly name: string;
  readonly kind: AlertChannelKind;
  readonly enabled: boolean;
  /** Rules of its scope without channels of their own use it. */
  readonly isDefault: boolean;
  readonly spec: ChannelSpec;
  readonly sealed: Sealed;
  /** Null if the last attempt succeeded, or there was none. */
  readonly failingSince: Date | null;
  /** The number of messages that were given up. Tests do not count. */
  readonly givenUp: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}
