// How long a host's certificates last, and when they are renewed.

import { X509Certificate } from 'node:crypto';
import { makeCertificate } from '../../platform/net/certificates.ts';
import type { HostFile } from './host-file.ts';

/** Renewed after this share of its life. */
const dueShare = 2 / 3;

type Certified = Pick<HostFile, 'authority' | 'certificate' | 'served'>;

function certificatesOf({ authority, certificate, served }: Certified): readonly string[] {
  return [authority, certificate, ...(served === undefined ? [] : [served.certificate])];
}

export function isDue(certificate: string, nowMs = Date.now()): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return nowMs >= validFromDate.getTime() + (validToDate.getTime() - validFromDate.getTime()) * dueShare;
}

/** Whether one of the host's certificates, or its copy of the authority's, is due. */
export function areDue(file: Certified, nowMs = Date.now()): boolean {
  return certificatesOf(file).some((each) => isDue(each, nowMs));
}

/** The end of the one that ends first. */
export function certificatesEndOf(file: Certified): Date {
  return new Date(Math.min(...certificatesOf(file).map((each) => new X509Certificate(each).validToDate.getTime())));
}

/** With the same name and key, so that it is the issuer of all earlier certificates too. */
export async function renewedAuthority(authority: string, key: string): Promise<string> {
  const commonName = new X509Certificate(authority).subject.replace(/^CN=/, '');
  return (await makeCertificate({ commonName, use: 'authority', key })).cert;
}

/** PEM. */
export function publicKeyIn(certificate: string): string {
  return new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'pem' }).toString();
}
