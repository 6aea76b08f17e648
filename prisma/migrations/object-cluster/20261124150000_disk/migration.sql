-- Whether a service is to serve no users, and the disk that it sees.

ALTER TABLE `store_service`
  ADD COLUMN `draining` BOOLEAN NOT NULL DEFAULT false,
  ADD COLUMN `disk_used_bytes` BIGINT UNSIGNED NULL,
  ADD COLUMN `disk_total_bytes` BIGINT UNSIGNED NULL;
