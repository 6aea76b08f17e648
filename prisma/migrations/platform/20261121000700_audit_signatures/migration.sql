-- Both ends of the audit trail's chain are signed: who writes to the database alone can't make another chain.

ALTER TABLE `audit_chain`
  ADD COLUMN `head_signature` VARCHAR(160) NULL,
  ADD COLUMN `base_signature` VARCHAR(160) NULL;
