-- Backends beyond SSH: a pinned certificate or who may vouch for one, and what a driver wants to know beside the address.
ALTER TABLE `backend`
  ADD COLUMN `certificate_sha256` VARCHAR(64) NULL AFTER `host_key_sha256`,
  ADD COLUMN `ca_certificates` TEXT NULL AFTER `certificate_sha256`,
  ADD COLUMN `options` TEXT NOT NULL DEFAULT '{}' AFTER `ca_certificates`;

-- What a mapped object should be like, and what the last look at it found.
ALTER TABLE `mapping`
  ADD COLUMN `desired` LONGTEXT NULL AFTER `state`,
  ADD COLUMN `verified_at` DATETIME(3) NULL AFTER `desired`,
  ADD COLUMN `verify_result` VARCHAR(16) NULL AFTER `verified_at`,
  ADD COLUMN `verify_diff` LONGTEXT NULL AFTER `verify_result`;
