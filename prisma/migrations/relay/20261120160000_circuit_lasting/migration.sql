-- Whether trying again can help was read from the text of the circuit's reason: it is a column now.
ALTER TABLE `backend`
  ADD COLUMN `circuit_lasting` BOOLEAN NOT NULL DEFAULT false AFTER `circuit_reason`;

UPDATE `backend` SET `circuit_lasting` = true
WHERE `circuit_state` <> 'CLOSED' AND SUBSTRING_INDEX(`circuit_reason`, ':', 1) IN
  ('AUTH_FAILED', 'HOST_KEY_MISMATCH', 'HOST_KEY_UNKNOWN', 'CERTIFICATE_MISMATCH', 'CERTIFICATE_UNKNOWN', 'CERTIFICATE_INVALID');
