-- A caller's own id of a request stands beside ours.

ALTER TABLE `audit_entry`
  ADD COLUMN `caller_request_id` VARCHAR(64) NULL AFTER `request_id`;
