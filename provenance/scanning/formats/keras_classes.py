"""Keras's public classes and functions that a saved model may name, by the kind of module that they live in.

Taken from the public interface of Keras 3.15, with the names that Keras 1, 2 and ``tf.keras`` wrote. Left out is what
holds or calls code (Lambda, wrappers of other frameworks), takes a function (loops, maps), or reads files.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["CLASSES", "FUNCTIONS"]

_CLASSES: Final = {
    "layers": """
        Activation ActivityRegularization AdaptiveAveragePooling1D AdaptiveAveragePooling2D
        AdaptiveAveragePooling3D AdaptiveMaxPooling1D AdaptiveMaxPooling2D AdaptiveMaxPooling3D Add
        AddLoss AddMetric AdditiveAttention AlphaDropout AtrousConvolution1D AtrousConvolution2D
        Attention AugMix AutoContrast Average AveragePooling1D AveragePooling2D AveragePooling3D
        AvgPool1D AvgPool2D AvgPool3D BaseRandomLayer BatchNormalization BatchNormalizationV1
        BatchNormalizationV2 Bidirectional CategoryEncoding CenterCrop Concatenate
        ContrastLimitedAdaptiveHistogramEqualization Conv1D Conv1DTranspose Conv2D Conv2DTranspose
        Conv3D Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM2DCell ConvLSTM3D ConvRNN2D Convolution1D
        Convolution1DTranspose Convolution2D Convolution2DTranspose Convolution3D Convolution3DTranspose
        Cropping1D Cropping2D Cropping3D CuDNNGRU CuDNNLSTM CutMix Deconvolution2D Deconvolution3D Dense
        DenseFeatures DepthwiseConv1D DepthwiseConv2D DepthwiseConv2DNative DeviceWrapper Discretization
        Dot Dropout ELU EinsumDense Embedding Equalization Flatten Functional GRU GRUCell GRUCellV2
        GRUV1 GRUV2 GaussianDropout GaussianNoise GlobalAveragePooling1D GlobalAveragePooling2D
        GlobalAveragePooling3D GlobalAvgPool1D GlobalAvgPool2D GlobalAvgPool3D GlobalMaxPool1D
        GlobalMaxPool2D GlobalMaxPool3D GlobalMaxPooling1D GlobalMaxPooling2D GlobalMaxPooling3D Graph
        GroupNormalization GroupQueryAttention HashedCrossing Hashing Highway Identity InputLayer
        InstanceProperty IntegerLookup LSTM LSTMCell LSTMCellV2 LSTMV1 LSTMV2 LayerNormalization
        LayerNormalizationV1 LeakyReLU LocallyConnected1D LocallyConnected2D Masking MaxNumBoundingBoxes
        MaxPool1D MaxPool2D MaxPool3D MaxPooling1D MaxPooling2D MaxPooling3D Maximum MaxoutDense
        MelSpectrogram Merge Minimum MixUp Model MultiHeadAttention Multiply Normalization PReLU
        PeepholeLSTMCell Permute Pipeline RMSNormalization RNN RandAugment RandomBrightness
        RandomColorDegeneration RandomColorJitter RandomContrast RandomCrop RandomElasticTransform
        RandomErasing RandomFlip RandomFourierFeatures RandomGaussianBlur RandomGrayscale RandomHeight
        RandomHue RandomInvert RandomPerspective RandomPosterization RandomRotation RandomSaturation
        RandomSharpness RandomShear RandomTranslation RandomWidth RandomZoom ReLU RepeatVector Rescaling
        Reshape Resizing ReversibleEmbedding STFTSpectrogram SeparableConv1D SeparableConv2D
        SeparableConvolution SeparableConvolution1D SeparableConvolution2D Sequential SimpleRNN
        SimpleRNNCell SlicingOpLambda Softmax Solarization SpatialDropout SpatialDropout1D
        SpatialDropout2D SpatialDropout3D SpectralNormalization StackedRNNCells StringLookup Subtract
        SyncBatchNormalization TFOpLambda TextVectorization ThresholdedReLU TimeDistributed
        UnitNormalization UpSampling UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D
        ZeroPadding3D
    """,
    "initializers": """
        Constant ConstantV2 ConvolutionAware GlorotNormal GlorotNormalV2 GlorotUniform GlorotUniformV2
        HeNormal HeUniform Identity IdentityInitializer Initializer LecunNormal LecunUniform Ones OnesV2
        Orthogonal OrthogonalInitializer RandomNormal RandomNormalV2 RandomUniform RandomUniformV2 STFT
        STFTInitializer TruncatedNormal TruncatedNormalV2 VarianceScaling VarianceScalingV2 Zeros
        ZerosV2 constant glorot_normal glorot_uniform glorot_uniform_v2 he_normal he_uniform identity
        lecun_normal lecun_uniform ones orthogonal random_normal random_uniform stft truncated_normal
        variance_scaling zeros
    """,
    "constraints": """
        Constraint MaxNorm MaxNormV2 MinMaxNorm NonNeg RadialConstraint UnitNorm max_norm min_max_norm
        non_neg unit_norm
    """,
    "regularizers": """
        L1 L1L2 L2 OrthogonalRegularizer Regularizer l1 l1_l2 l2 orthogonal_regularizer
    """,
    "optimizers": """
        Adadelta Adafactor Adagrad Adam AdamV2 AdamW Adamax CosineDecay CosineDecayRestarts
        ExponentialDecay Ftrl InverseTimeDecay Lamb LearningRateSchedule Lion LossScaleOptimizer
        MultiOptimizer Muon Nadam NoisyLinearCosineDecay Optimizer OptimizerMap PiecewiseConstantDecay
        PolynomialDecay RMSProp RMSprop SGD SGDV2 ScheduleFreeAdamW TFOptimizer WarmUp
    """,
    "losses": """
        BinaryCrossentropy BinaryFocalCrossentropy CTC CategoricalCrossentropy
        CategoricalFocalCrossentropy CategoricalGeneralizedCrossEntropy CategoricalHinge Circle
        CosineSimilarity Dice Hinge Huber KLDivergence LogCosh Loss MeanAbsoluteError
        MeanAbsolutePercentageError MeanSquaredError MeanSquaredLogarithmicError Poisson
        SparseCategoricalCrossentropy SquaredHinge Tversky LossFunctionWrapper
    """,
    "metrics": """
        AUC Accuracy BinaryAccuracy BinaryCrossentropy BinaryIoU CategoricalAccuracy
        CategoricalCrossentropy CategoricalHinge ConcordanceCorrelation CosineSimilarity F1Score
        FBetaScore FalseNegatives FalsePositives Hinge IoU KLDivergence LogCoshError Mean
        MeanAbsoluteError MeanAbsolutePercentageError MeanIoU MeanMetricWrapper MeanSquaredError
        MeanSquaredLogarithmicError Metric OneHotIoU OneHotMeanIoU PearsonCorrelation Poisson Precision
        PrecisionAtRecall R2Score Recall RecallAtPrecision RootMeanSquaredError SensitivityAtSpecificity
        SparseCategoricalAccuracy SparseCategoricalCrossentropy SparseTopKCategoricalAccuracy
        SpecificityAtSensitivity SquaredHinge Sum TopKCategoricalAccuracy TrueNegatives TruePositives
        MeanRelativeError MeanTensor SumOverBatchSizeMetricWrapper CompileMetrics
    """,
    "policies": """
        AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy
        Policy PolicyV1 QuantizedDTypePolicy QuantizedFloat8DTypePolicy
    """,
    "quantizers": """
        AWQConfig AbsMaxQuantizer Float8QuantizationConfig GPTQConfig Int4QuantizationConfig
        Int8QuantizationConfig QuantizationConfig Quantizer
    """,
    "random": """
        SeedGenerator
    """,
    "features": """
        FeatureSpace Feature Cross
    """,
    "operations": """
        Abs Absolute AdaptiveAveragePool AdaptiveMaxPool Add AffineTransform All AllClose Amax Amin
        Angle Any Append Arange Arccos Arccosh Arcsin Arcsinh Arctan Arctan2 Arctanh Argmax Argmin
        Argpartition Argsort Array ArraySplit Average AveragePool BatchNorm BinaryCrossentropy Bincount
        BitwiseAnd BitwiseInvert BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor
        BroadcastTo CDist CTCDecode CTCLoss Cast CategoricalCrossentropy Cbrt Ceil Celu Cholesky
        CholeskyInverse Clip Concatenate Conj Conjugate Conv ConvTranspose ConvertToTensor Copy Corrcoef
        Correlate Cos Cosh CountNonzero CropImages Cross Cumprod Cumsum Deg2rad DepthToSpace
        DepthwiseConv Det Diag Diagflat Diagonal Diff Digitize Divide DivideNoNan Dot
        DotProductAttention Dsplit Dstack Eig Eigh Einsum ElasticTransform Elu EmptyLike Equal Erf Erfc
        Erfinv Exp Exp2 ExpandDims Expm1 ExtractPatches ExtractSequences FFT FFT2 Fabs Flip Fliplr
        Flipud Floor FloorDivide Fmax Fmin Fmod Fold Full FullLike GaussianBlur Gcd Gelu Geomspace
        GetItem Glu Greater GreaterEqual HSVToRGB HardShrink HardSigmoid HardSilu HardTanh Heaviside
        Histogram Hsplit Hstack Hypot I0 IFFT2 IRFFT ISTFT Imag InTopK Inner Inv IsIn Isclose Isfinite
        Isinf Isnan Isneginf Isposinf Isreal JVP Kron LayerNorm Lcm Ldexp LeakyRelu LeftShift Less
        LessEqual Linspace Log Log10 Log1p Log2 LogSigmoid LogSoftmax Logaddexp Logaddexp2 Logdet
        LogicalAnd LogicalNot LogicalOr LogicalXor Logspace Logsumexp Lstsq LuFactor MapCoordinates
        Matmul MatrixRank Max MaxPool Maximum Mean Median Meshgrid Min Minimum Mod Moments Moveaxis
        MultiHot Multiply NanToNum Nanargmax Nanargmin Nancumprod Nancumsum Nanmax Nanmean Nanmedian
        Nanmin Nanpercentile Nanprod Nanquantile Nanstd Nansum Nanvar Ndim Negative Nextafter Nonzero
        Norm Normalize NotEqual OneHot OnesLike Outer PSNR Pad PadImages Percentile PerspectiveTransform
        Pinv Polar Power Prod Ptp Qr Quantile RFFT RGBToGrayscale RGBToHSV RMSNorm Rad2deg Ravel Real
        Reciprocal Relu Relu6 Repeat Reshape Resize RightShift Roll Rot90 Round Rsqrt SSIM STFT SVD
        SaturateCast ScaleAndTranslate Scatter ScatterUpdate SearchSorted SegmentMax SegmentMin
        SegmentProd SegmentReduction SegmentSum Select Selu SeparableConv Sigmoid Sign Signbit Silu Sin
        Sinc Sinh Size Slice SliceUpdate Slogdet SobelEdges SoftShrink Softmax Softplus Softsign Solve
        SolveTriangular Sort SpaceToDepth SparseCategoricalCrossentropy SparsePlus SparseSigmoid
        Sparsemax Split Sqrt Square Squareplus Squeeze Stack Std StopGradient Subtract Sum Swapaxes Take
        TakeAlongAxis Tan Tanh TanhShrink Tensordot Threshold Tile TopK Trace Transpose Trapezoid Tril
        Triu TrueDivide Trunc Unfold Unique UnravelIndex Unstack Vander Var Vdot View ViewAsComplex
        ViewAsReal Vsplit Vstack Where ZerosLike
    """,
}
_FUNCTIONS: Final = """
    abs absolute acc accuracy adaptive_average_pool adaptive_max_pool add all allclose amax amin angle
    any append arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin argpartition
    argsort array array_split average average_pool bartlett batch_normalization bce binary_accuracy
    binary_crossentropy binary_focal_crossentropy bincount bitwise_and bitwise_invert bitwise_left_shift
    bitwise_not bitwise_or bitwise_right_shift bitwise_xor blackman broadcast_to cast
    categorical_accuracy categorical_crossentropy categorical_focal_crossentropy
    categorical_generalized_cross_entropy categorical_hinge cbrt cdist ceil celu cholesky
    cholesky_inverse circle clip concatenate concordance_correlation conj conjugate constant conv
    conv_transpose convert_to_tensor copy corrcoef correlate cos cosh cosine cosine_proximity
    cosine_similarity count_nonzero cross ctc ctc_decode ctc_loss cumprod cumsum deg2rad depth_to_space
    depthwise_conv det diag diagflat diagonal dice diff digitize divide divide_no_nan dot
    dot_product_attention dsplit dstack dtype eig eigh einsum elu empty empty_like equal erf erfc erfinv
    exp exp2 expand_dims expm1 exponential extract_sequences eye fabs fft fft2 flip fliplr flipud floor
    floor_divide fmax fmin fmod fold full full_like gcd gelu geomspace get_item glorot_normal
    glorot_uniform glu greater greater_equal hamming hanning hard_shrink hard_sigmoid hard_silu
    hard_swish hard_tanh he_normal he_uniform heaviside hinge histogram hsplit hstack huber hypot i0
    identity ifft2 imag in_top_k inner inv irfft is_tensor isclose isfinite isin isinf isnan isneginf
    isposinf isreal istft kaiser kl_divergence kld kron kullback_leibler_divergence l1 l1_l2 l2
    layer_normalization lcm ldexp leaky_relu lecun_normal lecun_uniform left_shift less less_equal
    linear linspace log log10 log1p log2 log_cosh log_sigmoid log_softmax logaddexp logaddexp2 logcosh
    logdet logical_and logical_not logical_or logical_xor logspace logsumexp lstsq lu_factor mae mape
    matmul matrix_rank max max_norm max_pool maximum mean mean_absolute_error
    mean_absolute_percentage_error mean_squared_error mean_squared_logarithmic_error median meshgrid min
    min_max_norm minimum mish mod moments moveaxis mse msle multi_hot multiply nan_to_num nanargmax
    nanargmin nancumprod nancumsum nanmax nanmean nanmedian nanmin nanpercentile nanprod nanquantile
    nanstd nansum nanvar ndim negative nextafter non_neg nonzero norm normalize not_equal one_hot ones
    ones_like orthogonal orthogonal_regularizer outer pad pearson_correlation percentile pinv poisson
    polar power prod psnr ptp qr quantile rad2deg random_normal random_uniform ravel real rearrange
    reciprocal relu relu6 repeat reshape rfft right_shift rms_normalization roll rot90 round rsqrt
    saturate_cast scatter scatter_update searchsorted segment_max segment_min segment_prod segment_sum
    select selu separable_conv shape sigmoid sign signbit silu sin sinc sinh size slice slice_update
    slogdet soft_shrink softmax softplus softsign solve solve_triangular sort space_to_depth
    sparse_categorical_accuracy sparse_categorical_crossentropy sparse_plus sparse_sigmoid
    sparse_top_k_categorical_accuracy sparsemax split sqrt square squared_hinge squareplus squeeze stack
    std stft stop_gradient subtract sum svd swapaxes swish take take_along_axis tan tanh tanh_shrink
    tensordot threshold tile top_k top_k_categorical_accuracy trace transpose trapezoid tri tril triu
    true_divide trunc truncated_normal tversky unfold unique unit_norm unravel_index unstack vander var
    variance_scaling vdot view view_as_complex view_as_real vsplit vstack where zeros zeros_like
"""

CLASSES: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {kind: frozenset(names.split()) for kind, names in _CLASSES.items()}
)
FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
"""Activations, losses, metrics and operations on tensors."""
