-- depends: 0006_session_messages
-- Uploaded files on their way to chunks.
CREATE TABLE documents (
    id uuid DEFAULT gen_random_uuid(),
    user_id uuid NOT NULL,
    project_id uuid,
    filename text NOT NULL,
    file_url text,
    storage_path text,
    file_type text NOT NULL,
    file_size integer,
    processing_status text NOT NULL DEFAULT 'pending',
    processed_at timestamptz,
    error_message text,
    page_count integer,
    word_count integer,
    created_at timestamptz NOT NULL DEFAULT now(),
    claimed_until timestamptz,
    CONSTRAINT documents_pkey PRIMARY KEY (id),
    -- What chunks refer to, so that they can belong to nobody but the document's user.
    CONSTRAINT documents_user_id_id_key UNIQUE (user_id, id),
    CONSTRAINT documents_user_id_fkey FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT documents_project_id_fkey FOREIGN KEY (project_id, user_id)
    REFERENCES projects (id, owner_id) ON DELETE CASCADE,
    CONSTRAINT documents_filename_check CHECK (platform.is_not_blank(filename)),
    CONSTRAINT documents_storage_path_check CHECK (starts_with(storage_path, user_id::text || '/')),
    CONSTRAINT documents_file_type_check CHECK (file_type IN ('pdf', 'docx', 'txt', 'md')),
    CONSTRAINT documents_file_size_check CHECK (file_size >= 0),
    CONSTRAINT documents_counts_check CHECK (page_count >= 0 AND word_count >= 0),
    CONSTRAINT documents_processing_status_check CHECK (
        processing_status IN ('pending', 'processing', 'completed', 'failed')
    ),
    CONSTRAINT documents_processed_at_check CHECK ((processing_status = 'completed') = (processed_at IS NOT NULL)),
    CONSTRAINT documents_error_message_check CHECK (
        CASE
            WHEN processing_status = 'failed' THEN coalesce(platform.is_not_blank(error_message), FALSE)
            ELSE error_message IS NULL
        END
    )
);
ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
REVOKE ALL ON documents FROM PUBLIC, anon, authenticated, service_role;

CREATE INDEX documents_user_idx ON documents (user_id, created_at DESC);
CREATE INDEX documents_project_idx ON documents (project_id);
-- For claim_pending_documents(): what waits is few, however many are done.
CREATE INDEX documents_queue_idx ON documents (created_at, id) WHERE processing_status IN ('pending', 'processing');

COMMENT ON TABLE documents IS 'Uploaded files, parsed into chunks by workers.';
COMMENT ON COLUMN documents.project_id IS 'Null: the user''s in all projects.';
COMMENT ON COLUMN documents.storage_path IS 'In the bucket: {user_id}/{doc_id}/original.{ext}.';
COMMENT ON COLUMN documents.file_type IS 'pdf, docx, txt or md.';
COMMENT ON COLUMN documents.file_size IS 'Bytes.';
COMMENT ON COLUMN documents.processing_status IS
'pending → processing → completed or failed; failed → pending to try again.';
COMMENT ON COLUMN documents.processed_at IS 'Set by the database on completed.';
COMMENT ON COLUMN documents.error_message IS 'Why it failed; cleared by the database when it leaves failed.';
COMMENT ON COLUMN documents.page_count IS 'For PDFs.';
COMMENT ON COLUMN documents.word_count IS 'Approximate.';
COMMENT ON COLUMN documents.claimed_until IS
'While it is processing: until when a worker has it; then claim_pending_documents() offers it again.';
