-- Replaces: 20261120130000_relay_presented 01156f72c420b7c71d35dce9acafeef20991724e71fbc0d330d7a0d64f33a8bf
-- What a device showed to prove itself when it was not what is accepted: an operator compares and accepts it.
ALTER TABLE `backend`
  ADD COLUMN `presented_kind` VARCHAR(16) NULL AFTER `options`,
  ADD COLUMN `presented_sha256` VARCHAR(64) NULL AFTER `presented_kind`;
