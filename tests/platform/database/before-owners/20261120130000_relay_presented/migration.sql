-- What a device showed to prove itself when it was not what is accepted: an operator compares and accepts it.
ALTER TABLE `backend`
  ADD COLUMN `presented_kind` VARCHAR(16) NULL AFTER `options`,
  ADD COLUMN `presented_sha256` VARCHAR(64) NULL AFTER `presented_kind`;
