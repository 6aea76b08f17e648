// Sizes of objects, in words.

const units = ['KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** `512 bytes`, `1.5 MiB`. The graph sends whole numbers as text. */
export function formatBytes(bytes: string | number | bigint): string {
  let size = Number(bytes);
  if (size < 1_024) return size === 1 ? '1 byte' : `${size} bytes`;
  let unit = -1;
  while (size >= 1_024 && unit < units.length - 1) {
    size /= 1_024;
    unit += 1;
  }
  return `${size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

/** One upload of S3: larger objects need several parts, which the S3 tools send. */
export const mostUploadBytes = 5 * 1_024 ** 3;
