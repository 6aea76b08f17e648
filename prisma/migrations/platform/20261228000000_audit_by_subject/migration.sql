-- The audit entries of one object are found without reading those of all others.

CREATE INDEX `audit_entry_subject_idx` ON `audit_entry` (`subject_type`, `subject_id`, `id`);
